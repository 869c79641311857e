//! One thing that is known of the server: asked for by whoever needs it, kept while the server stands by it.
//!
//! Nobody holds a lock while the server is asked. Those who want to know the same wait for the same question; where it
//! takes long they put it again, so that a question which got stuck keeps nobody waiting who came later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::discover::{DiscoverError, ServerFacts};
use super::facts::ModelFacts;
use crate::rules::Schedule;

/// After so long, who waits for an answer asks too.
const STUCK: Duration = Duration::from_secs(2);

/// So many questions may wait for their answer at once.
const MOST_ASKING: usize = 3;

/// What is only assumed is asked for again after so long, then after twice as long, and so on.
const FIRST_DOUBT: Duration = Duration::from_secs(1);
const LONGEST_DOUBT: Duration = Duration::from_secs(60);

/// What can be known.
pub(super) trait Fact: Send + Sync + 'static {
    /// After so long, who waits for an answer asks too.
    const STUCK: Duration = STUCK;

    /// Whether the server has said it; what is only assumed is asked for again.
    fn is_sure(&self) -> bool;
}

/// How histories are to be cut, as a probe has found it; `None`: the server does not say.
#[derive(Debug)]
pub(super) struct FoundSchedule(pub Option<Schedule>);

impl Fact for FoundSchedule {
    /// The model reads a long prompt for it: that takes its time, and a second one would only make it longer.
    const STUCK: Duration = Duration::from_secs(20 * 60);

    fn is_sure(&self) -> bool {
        true
    }
}

impl Fact for ServerFacts {
    fn is_sure(&self) -> bool {
        self.sure
    }
}

impl Fact for ModelFacts {
    fn is_sure(&self) -> bool {
        self.sure
    }
}

/// One thing that is known, or not yet.
#[derive(Debug)]
pub(super) struct Known<T> {
    state: Mutex<State<T>>,
    /// Told when an answer has come.
    news: watch::Sender<()>,
}

#[derive(Debug)]
struct State<T> {
    fact: Option<(Arc<T>, Option<Instant>)>,
    /// When each question that waits for an answer was put, oldest first.
    asking: Vec<Instant>,
    /// The last failure, and when the question was put that ended so.
    failed: Option<(Instant, DiscoverError)>,
    doubts: u32,
    looked: Option<Instant>,
    /// Counts up when what was known is dropped: an answer to an older question is none.
    age: u64,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        let state = State { fact: None, asking: Vec::new(), failed: None, doubts: 0, looked: None, age: 0 };
        Self { state: Mutex::new(state), news: watch::Sender::new(()) }
    }
}

impl<T: Fact> Known<T> {
    /// What is known now.
    pub(super) fn now(&self) -> Option<Arc<T>> {
        self.lock().fresh()
    }

    /// What is known; else it is asked for.
    ///
    /// # Errors
    /// Those of a question that was put for this caller, or shortly before it came.
    pub(super) async fn get<F>(self: &Arc<Self>, ask: impl Fn() -> F) -> Result<Arc<T>, DiscoverError>
    where
        F: Future<Output = Result<T, DiscoverError>> + Send + 'static,
    {
        let mine = Instant::now().checked_sub(STUCK).unwrap_or_else(Instant::now);
        let mut news = self.news.subscribe();
        loop {
            if let Some(done) = self.done_or_ask(mine, &ask) {
                return done;
            }
            // Who sends the news is `self`: it cannot have gone.
            let _ = tokio::time::timeout(T::STUCK, news.changed()).await;
        }
    }

    /// The answer, if it is there; else sees to it that somebody asks.
    fn done_or_ask<F>(self: &Arc<Self>, mine: Instant, ask: &impl Fn() -> F) -> Option<Result<Arc<T>, DiscoverError>>
    where
        F: Future<Output = Result<T, DiscoverError>> + Send + 'static,
    {
        let mut state = self.lock();
        if let Some(fact) = state.fresh() {
            return Some(Ok(fact));
        }
        if let Some((put, error)) = &state.failed
            && *put >= mine
        {
            return Some(Err(error.clone()));
        }
        let stuck = state.asking.last().is_none_or(|put| put.elapsed() >= T::STUCK);
        if stuck && state.asking.len() < MOST_ASKING {
            let (put, age) = (Instant::now(), state.age);
            state.asking.push(put);
            let (known, asking) = (self.clone(), ask());
            tokio::spawn(async move {
                let asked = Asked { known: &known, put, age };
                asked.ends(asking.await);
            });
        }
        None
    }

    /// Drops what was known.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        (state.fact, state.failed, state.looked) = (None, None, None);
        state.asking.clear();
        state.age += 1;
    }

    /// Whether it is this caller's turn to see that what is known still holds: once within `every`.
    pub(super) fn is_to_be_looked_at(&self, every: Duration) -> bool {
        let mut state = self.lock();
        let due = state.looked.is_none_or(|looked| looked.elapsed() >= every);
        if due {
            state.looked = Some(Instant::now());
        }
        due
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Fact> State<T> {
    fn fresh(&self) -> Option<Arc<T>> {
        let (fact, until) = self.fact.as_ref()?;
        until.is_none_or(|until| Instant::now() < until).then(|| fact.clone())
    }

    fn learn(&mut self, fact: T) {
        let doubt = (FIRST_DOUBT * (1 << self.doubts.min(10))).min(LONGEST_DOUBT);
        let sure = fact.is_sure();
        self.doubts = if sure { 0 } else { self.doubts + 1 };
        self.fact = Some((Arc::new(fact), (!sure).then(|| Instant::now() + doubt)));
        (self.failed, self.looked) = (None, Some(Instant::now()));
    }
}

/// A question that was put; it counts as answered when this goes, whatever became of it.
struct Asked<'a, T: Fact> {
    known: &'a Known<T>,
    put: Instant,
    age: u64,
}

impl<T: Fact> Asked<'_, T> {
    fn ends(self, answer: Result<T, DiscoverError>) {
        let mut state = self.known.lock();
        match answer {
            _ if state.age != self.age => {}
            Ok(fact) => state.learn(fact),
            Err(error) => state.failed = Some((self.put, error)),
        }
    }
}

impl<T: Fact> Drop for Asked<'_, T> {
    fn drop(&mut self) {
        let mut state = self.known.lock();
        state.asking.retain(|put| *put != self.put);
        drop(state);
        self.known.news.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Number(usize, bool);

    impl Fact for Number {
        fn is_sure(&self) -> bool {
            self.1
        }
    }

    /// A question whose n-th answer comes after so many seconds, and is so sure.
    struct Script(Arc<AtomicUsize>, &'static [(u64, bool)]);

    impl Script {
        fn ask(&self) -> impl Future<Output = Result<Number, DiscoverError>> + Send + 'static {
            let n = self.0.fetch_add(1, Ordering::SeqCst);
            let (seconds, sure) = self.1[n.min(self.1.len() - 1)];
            async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(Number(n, sure))
            }
        }

        fn asked(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn script(answers: &'static [(u64, bool)]) -> Script {
        Script(Arc::default(), answers)
    }

    #[tokio::test(start_paused = true)]
    async fn many_ask_once() {
        let (known, script) = (Arc::new(Known::default()), script(&[(1, true)]));
        let (a, b) = tokio::join!(known.get(|| script.ask()), known.get(|| script.ask()));
        assert_eq!((a.unwrap().0, b.unwrap().0), (0, 0));
        known.get(|| script.ask()).await.unwrap();
        assert_eq!(script.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_got_stuck_keeps_nobody() {
        let (known, script) = (Arc::new(Known::default()), script(&[(1000, true), (0, true)]));
        let began = Instant::now();
        assert_eq!(known.get(|| script.ask()).await.unwrap().0, 1);
        assert!(began.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_assumed_is_asked_for_again_ever_more_rarely() {
        let (known, script) = (Arc::new(Known::default()), script(&[(0, false)]));
        for _ in 0..600 {
            known.get(|| script.ask()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!((10..25).contains(&script.asked()), "{}", script.asked());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_a_question_of_before_is_none() {
        let (known, script) = (Arc::new(Known::default()), script(&[(1, true), (1, true)]));
        let later = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            known.forget();
            known.get(|| script.ask()).await.unwrap().0
        };
        let (first, second) = tokio::join!(known.get(|| script.ask()), later);
        assert_eq!((first.unwrap().0, second), (1, 1));
    }
}
