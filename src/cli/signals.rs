//! What the system tells a process to do, on Unix and on Windows.

#[cfg(unix)]
pub(super) use unix::{Orders, told_to_end};
#[cfg(windows)]
pub(super) use windows::{Orders, told_to_end};

/// So many interrupts end a process at once, whatever is going on.
const IMPATIENT: usize = 3;

/// The third interrupt: whoever sends that does not want to wait.
pub(super) async fn told_to_end_at_once() {
    for left in (0..IMPATIENT).rev() {
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        if left == 1 {
            tracing::warn!("running answers are waited for; interrupt once more to end at once");
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::process::ExitStatus;

    use rustix::process::{Pid, Signal as Kind, kill_process};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// SIGTERM or SIGINT.
    pub(in crate::cli) async fn told_to_end() {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }

    /// What a process that runs another hears in its place.
    pub(in crate::cli) struct Orders {
        terminate: Signal,
        hang_up: Signal,
        interrupt: Signal,
        quit: Signal,
    }

    impl Orders {
        /// Listens from now on: none of these ends this process by itself any more.
        ///
        /// # Errors
        /// When the system does not let it.
        pub(in crate::cli) fn listen() -> std::io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
            })
        }

        /// Waits for an order that was meant for this process alone, and passes it to the child. An interrupt of the
        /// terminal reaches the child too, which decides what it means.
        pub(in crate::cli) async fn pass_to(&mut self, child: Option<u32>) {
            let order = loop {
                tokio::select! {
                    _ = self.terminate.recv() => break Kind::TERM,
                    _ = self.hang_up.recv() => break Kind::HUP,
                    _ = self.interrupt.recv() => {}
                    _ = self.quit.recv() => {}
                }
            };
            if let Some(pid) = child.and_then(|id| Pid::from_raw(id as i32)) {
                // It may have ended meanwhile.
                let _ = kill_process(pid, order);
            }
        }
    }

    /// The exit code that a shell gives: 128 and the signal for a process that a signal ended.
    pub(in crate::cli) fn exit_code(status: ExitStatus) -> u8 {
        let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
        u8::try_from(status.code().or(signal).unwrap_or_default()).unwrap_or(u8::MAX)
    }
}

#[cfg(windows)]
mod windows {
    use std::process::ExitStatus;

    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
    };

    /// Ctrl-C, Ctrl-Break, a closed console, or the end of the system.
    pub(in crate::cli) async fn told_to_end() {
        let Ok(mut orders) = Orders::listen() else { return std::future::pending().await };
        tokio::select! {
            _ = orders.interrupt.recv() => {}
            _ = orders.stop.recv() => {}
            _ = orders.close.recv() => {}
            _ = orders.shutdown.recv() => {}
        }
    }

    /// What a process that runs another hears in its place.
    pub(in crate::cli) struct Orders {
        interrupt: CtrlC,
        stop: CtrlBreak,
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Orders {
        /// Listens from now on: none of these ends this process by itself any more.
        ///
        /// # Errors
        /// When the system does not let it.
        pub(in crate::cli) fn listen() -> std::io::Result<Self> {
            Ok(Self { interrupt: ctrl_c()?, stop: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
        }

        /// Waits for an order to end. The console has told the child too; one that stays is ended by the caller.
        pub(in crate::cli) async fn pass_to(&mut self, _child: Option<u32>) {
            loop {
                tokio::select! {
                    _ = self.interrupt.recv() => {}
                    _ = self.stop.recv() => return,
                    _ = self.close.recv() => return,
                    _ = self.shutdown.recv() => return,
                }
            }
        }
    }

    /// The exit code of a process, as far as eight bits go.
    pub(in crate::cli) fn exit_code(status: ExitStatus) -> u8 {
        u8::try_from(status.code().unwrap_or_default()).unwrap_or(u8::MAX)
    }
}

#[cfg(unix)]
pub(super) use unix::exit_code;
#[cfg(windows)]
pub(super) use windows::exit_code;
