//! The words of a window: reserve, margin, budget, head allowance, history budget.

/// Where a window's size was learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowSource {
    /// `--num-ctx` or `--window`.
    Setting,
    /// `num_ctx` in the Modelfile.
    Modelfile,
    /// What the server has loaded.
    Loaded,
    /// Nothing was known: 4096.
    #[default]
    Assumed,
}

/// The effective context length of the loaded model, in its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub tokens: usize,
    pub source: WindowSource,
}

/// What a window leaves room for. All in the model's tokens; see DESIGN's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub window: usize,
    /// Room kept for the reply: an eighth of the window, from 512 to 2048.
    pub reserve: usize,
    /// Two percent and 64: what our count may be wrong by.
    pub margin: usize,
}

impl Budget {
    pub fn of(window: usize) -> Self {
        Self { window, reserve: (window / 8).clamp(512, 2048), margin: window / 50 + 64 }
    }

    /// The most that a prompt may have.
    pub fn prompt(&self) -> usize {
        self.window.saturating_sub(self.reserve + self.margin)
    }

    /// What is set aside for a head of `head` tokens: what heads need in a window of this size, or the head rounded up to
    /// a sixteenth of the window, above 8K a thirty-second, so that one more tool does not move every cut. Heads grow
    /// slower than windows.
    pub fn head_allowance(&self, head: usize) -> usize {
        let (usual, step) = match self.window {
            0..=4096 => (8, 2),
            4097..=8192 => (6, 2),
            8193..=16_384 => (3, 1),
            _ => (2, 1),
        };
        let parts = |parts: usize| self.window * parts / 32;
        if head <= parts(usual) { parts(usual) } else { head.next_multiple_of(parts(step).max(1)) }
    }

    /// The window to which a message is to be fitted, beside a head of `head` tokens: this one, or where the head takes more
    /// than a quarter, the one that leaves as little with a head of a quarter. In steps of a sixteenth.
    pub fn for_messages(&self, head: usize) -> usize {
        let left = self.history(head);
        let smaller = (1..=16).rev().map(|parts| self.window * parts / 16);
        // The largest step has nine tenths of the history that a usual head leaves.
        let fits = |window: &usize| {
            let budget = Self::of(*window);
            budget.history(window / 4) <= left && budget.history(0) * 9 / 10 <= left
        };
        let mut fitting = smaller.filter(fits);
        fitting.next().unwrap_or(self.window / 16)
    }

    /// What is left for the history beside a head of `head` tokens.
    pub fn history(&self, head: usize) -> usize {
        self.prompt().saturating_sub(self.head_allowance(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_fitted_to_what_a_large_head_leaves() {
        assert_eq!(Budget::of(8192).for_messages(2048), 8192);
        let budget = Budget::of(2048);
        let window = budget.for_messages(880);
        assert!(window < 2048 && Budget::of(window).history(window / 4) <= budget.history(880));
        assert!(budget.for_messages(2000) < window);
    }

    #[test]
    fn one_more_tool_moves_no_cut() {
        for window in [4096, 8192, 16_384, 32_768] {
            let budget = Budget::of(window);
            assert_eq!(budget.history(700), budget.history(760));
            assert!(budget.history(700) > window / 2, "{window}");
        }
    }
}
