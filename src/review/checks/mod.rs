//! The checks, one a file. Each is a line in the table, a rule in `rules/checks.toml`, and a folder in `fixtures/checks/`.

mod answer_after_nothing;
mod arguments_unfit;
mod call_says_nothing;
mod call_unreadable;
mod edit_changes_nothing;
mod edit_text_absent;
mod edit_text_several;
mod empty_answer;
mod looping_reply;
mod narrowed;
mod read_before_edit;
mod repeated_call;
mod tool_unknown;
mod write_changes_nothing;
mod write_loses_lines;

use super::Check;

/// All checks, in the order in which they are asked.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &repeated_call::RepeatedCall,
    &read_before_edit::ReadBeforeEdit,
    &edit_changes_nothing::EditChangesNothing,
    &edit_text_absent::EditTextAbsent,
    &edit_text_several::EditTextSeveral,
    &write_changes_nothing::WriteChangesNothing,
    &write_loses_lines::WriteLosesLines,
    &tool_unknown::ToolUnknown,
    &arguments_unfit::ArgumentsUnfit,
    &call_unreadable::CallUnreadable,
    &call_says_nothing::CallSaysNothing,
    &answer_after_nothing::AnswerAfterNothing,
    &looping_reply::LoopingReply,
    &empty_answer::EmptyAnswer,
];
