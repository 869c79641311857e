//! What was made of a history up to one of its answers: the next request of it goes on from there. It only makes it fast:
//! where nothing is known, the same is made from the first message.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::measure::messages_tokens;
use super::target::Target;
use crate::calls::heal::heal_past;
use crate::rules::Lexicon;
use crate::show::{Form, Notes, Shown, Standing};
use crate::tokens::Counter;
use crate::trim::{Kind, Trim, TrimmedMessages};
use crate::wire::{Message, Request, Role};

/// Histories that are remembered.
const HISTORIES: usize = 16;

/// Bytes of messages in them, about.
const MOST: usize = 16 << 20;

/// All but the messages that decides what is made of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    /// The hash of the body around its messages.
    pub(super) outside: u128,
    pub(super) target: Target,
    pub(super) kind: Kind,
    /// The tools that the messages have loaded.
    pub(super) loaded: Vec<String>,
}

/// What was made of the messages of a history up to an answer.
#[derive(Debug, Default)]
pub(super) struct Trail {
    terms: Option<Terms>,
    /// The client's messages.
    sources: Vec<Message>,
    /// Bytes of them, about.
    weight: usize,
    /// Their tokens as they came.
    pub(super) before: usize,
    /// Made regular, and their calls healed.
    pub(super) trimmed: TrimmedMessages,
    /// How their results are told.
    pub(super) notes: Notes,
    pub(super) fitted: Fitted,
}

/// The regular messages as they are first shown, one for one.
#[derive(Debug, Clone, Default)]
pub(super) struct Fitted {
    /// The window to which they are fitted, in tokens.
    pub(super) window: usize,
    pub(super) messages: Vec<Message>,
    /// Tokens of each as rendered.
    pub(super) costs: Vec<usize>,
    /// The worked examples before some of them, by message; their tokens are counted with it.
    pub(super) examples: Vec<(usize, Arc<Standing>)>,
    /// Each as rendered; nothing where it was folded.
    pub(super) rendered: Vec<Option<Arc<[Shown]>>>,
}

impl Fitted {
    /// The worked examples right before a message.
    pub(super) fn examples(&self, at: usize) -> &[Shown] {
        let found = self.examples.binary_search_by_key(&at, |(message, _)| *message);
        found.map_or(&[], |found| &self.examples[found].1.shown)
    }

    /// A message as it is rendered.
    pub(super) fn shown(&self, at: usize, form: &Form<'_>) -> Vec<Shown> {
        match &self.rendered[at] {
            Some(shown) => shown.to_vec(),
            None => form.message(&self.messages[at]),
        }
    }
}

/// The trimmed messages of a request, and what is known of those up to its newest answer.
pub(super) struct Followed {
    pub(super) trimmed: TrimmedMessages,
    /// Tokens of the client's messages.
    pub(super) before: usize,
    /// What was known already.
    pub(super) known: Arc<Trail>,
    /// What is known from now on, but for how it is fitted.
    grown: Trail,
}

impl Trail {
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether these messages begin with its own.
    fn leads(&self, messages: &[Message]) -> bool {
        let same = |(one, other): (&Message, &Message)| one.role == other.role && one.content.is(&other.content);
        self.sources.len() <= messages.len() && self.sources.iter().zip(messages).all(same)
    }
}

/// What it takes to make messages regular.
pub(super) struct Maker<'a> {
    pub(super) trim: &'a Trim<'a>,
    pub(super) request: &'a Request,
    pub(super) lexicon: &'a Lexicon,
    pub(super) counter: &'a dyn Counter,
    /// Past calls are healed.
    pub(super) heal: bool,
}

impl Maker<'_> {
    fn make(&self, messages: &[Message], first: bool) -> TrimmedMessages {
        let mut trimmed = self.trim.messages(messages, first);
        if self.heal {
            heal_past(&mut trimmed.messages, &self.request.tools, self.lexicon);
        }
        trimmed
    }

    /// All messages of the request, made of nothing.
    fn whole(&self) -> TrimmedMessages {
        self.make(&self.request.messages, true)
    }

    /// All messages of the request, made of what is known and of the rest.
    pub(super) fn follow(&self, known: Arc<Trail>, terms: Terms) -> Followed {
        self.go_on(known, terms.clone()).or_else(|| self.go_on(Arc::default(), terms)).unwrap_or_else(|| self.anew())
    }

    fn go_on(&self, known: Arc<Trail>, terms: Terms) -> Option<Followed> {
        let messages = &self.request.messages;
        let from = known.sources.len();
        let to = newest_answer(messages).filter(|to| *to > from).unwrap_or(from);
        let made = |from: usize, to: usize| self.make(&messages[from..to], from == 0);
        let behind = |before: &TrimmedMessages, from: usize, to: usize| match from {
            0 => Some(made(from, to)),
            _ if from == to => Some(before.clone()),
            _ => before.and(made(from, to)),
        };
        let grown = behind(&known.trimmed, from, to)?;
        let trimmed = if to == 0 { self.whole() } else { behind(&grown, to, messages.len())? };
        let tokens = |from: usize, to: usize| messages_tokens(&messages[from..to], self.counter);
        let before = known.before + tokens(from, to);
        let weight = known.weight + messages[from..to].iter().map(weight).sum::<usize>();
        let grown = Trail {
            terms: Some(terms),
            sources: messages[..to].to_vec(),
            weight,
            before,
            trimmed: grown,
            notes: Notes::default(),
            fitted: Fitted::default(),
        };
        Some(Followed { trimmed, before: before + tokens(to, messages.len()), known, grown })
    }

    /// Where messages cannot be made in parts.
    pub(super) fn anew(&self) -> Followed {
        let before = messages_tokens(&self.request.messages, self.counter);
        Followed { trimmed: self.whole(), before, known: Arc::default(), grown: Trail::default() }
    }
}

/// The last answer that stands behind a message of another role.
fn newest_answer(messages: &[Message]) -> Option<usize> {
    let answers = |pair: &[Message]| pair[0].role != Role::Assistant && pair[1].role == Role::Assistant;
    messages.windows(2).rposition(answers).map(|at| at + 1)
}

/// Bytes of a message, about.
fn weight(message: &Message) -> usize {
    use crate::wire::Block;
    fn of(block: &Block) -> usize {
        64 + match block {
            Block::Text(text) | Block::Thinking(text) => text.len(),
            Block::ToolUse(call) => call.input.to_string().len(),
            Block::ToolResult(result) => result.content.iter().map(of).sum(),
            Block::Image(value) | Block::Other(value) => value.to_string().len(),
        }
    }
    64 + message.content.iter().map(of).sum::<usize>()
}

impl Followed {
    /// How many regular messages are known from now on.
    pub(super) fn grown(&self) -> usize {
        self.grown.trimmed.messages.len()
    }

    /// What is known from now on.
    pub(super) fn trail(&mut self, notes: Notes, fitted: Fitted) -> Trail {
        Trail { notes, fitted, ..std::mem::take(&mut self.grown) }
    }
}

/// The histories in work, the last one first.
#[derive(Debug, Default)]
pub(super) struct Trails {
    last: Mutex<VecDeque<Arc<Trail>>>,
}

impl Trails {
    /// The longest beginning of these messages that is known on these terms.
    pub(super) fn find(&self, terms: &Terms, messages: &[Message]) -> Arc<Trail> {
        let last = self.lock();
        let known = last.iter().filter(|trail| trail.terms.as_ref() == Some(terms) && trail.leads(messages));
        known.max_by_key(|trail| trail.sources.len()).cloned().unwrap_or_default()
    }

    /// Keeps what is known in the place of what it goes on from.
    pub(super) fn keep(&self, trail: Trail, from: &Arc<Trail>) {
        if trail.sources.is_empty() {
            return;
        }
        let mut last = self.lock();
        last.retain(|known| !Arc::ptr_eq(known, from));
        last.push_front(Arc::new(trail));
        let mut weight = 0;
        let fits = |trail: &Arc<Trail>| {
            weight += trail.weight;
            weight <= MOST
        };
        let fitting = last.iter().map(fits).take_while(|fits| *fits).count();
        last.truncate(fitting.clamp(1, HISTORIES));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Trail>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
