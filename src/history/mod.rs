//! What happened so far: turns, steps, calls and results, the view of each file, repeats.
