//! Tokens of an image, by its size: what a model makes of its pixels is known by rule, not by its bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;

/// How many tokens an image takes in a family of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImageTokens {
    /// A token is a square of so many pixels.
    pub patch: usize,
    /// The server scales images up to so many tokens, and down to so many.
    pub least: usize,
    pub most: usize,
}

/// Enough of an image, as base64, to hold the header of any format.
const HEADER: usize = 1 << 17;

impl Default for ImageTokens {
    fn default() -> Self {
        Self { patch: 28, least: 64, most: 2048 }
    }
}

impl ImageTokens {
    /// Tokens of an image of this size; of one whose size is not known, the most.
    pub fn of(self, size: Option<(usize, usize)>) -> usize {
        let patch = self.patch.max(1);
        let patches = |(wide, high): (usize, usize)| wide.div_ceil(patch) * high.div_ceil(patch);
        size.map_or(self.most, |size| patches(size).clamp(self.least, self.most.max(self.least)))
    }
}

/// Width and height in pixels of an image in base64; `None` where the format is not known.
pub fn image_size(base64: &str) -> Option<(usize, usize)> {
    let head = base64.trim_end_matches('=').get(..).unwrap_or_default();
    let head = head.get(..head.len().min(HEADER) / 4 * 4).unwrap_or_default();
    let bytes = STANDARD_NO_PAD.decode(head).ok()?;
    imagesize::blob_size(&bytes).ok().map(|size| (size.width, size.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of a picture of 640 by 480: all that says its size.
    fn png() -> String {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(640_u32.to_be_bytes());
        bytes.extend(480_u32.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        STANDARD_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_size_is_read_from_the_header() {
        assert_eq!(image_size(&png()), Some((640, 480)));
        assert_eq!(image_size(&format!("{}{}", png(), "A".repeat(HEADER * 2))), Some((640, 480)));
        for other in ["", "AAAA", "not base64!", "ääää"] {
            assert_eq!(image_size(other), None, "{other}");
        }
    }

    #[test]
    fn tokens_are_by_size_within_what_the_server_scales_to() {
        let rule = ImageTokens::default();
        assert_eq!(rule.of(Some((640, 480))), 23 * 18);
        assert_eq!((rule.of(Some((10, 10))), rule.of(Some((9000, 9000))), rule.of(None)), (64, 2048, 2048));
        assert_eq!(ImageTokens { patch: 0, least: 256, most: 256 }.of(Some((640, 480))), 256);
    }
}
