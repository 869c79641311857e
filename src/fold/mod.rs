//! Paging, crush, digest, and the fold that makes old steps fit.
