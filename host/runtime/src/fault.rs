//! What can go wrong with a plugin by its own doing, or the host's while it serves one. Made in one place, from the types
//! of what was raised and never from the words of a message.

use crate::{
    imports::{INTERFACE, Refusal},
    limits::{Exceeded, Limiter},
};
use std::fmt;
use wasmtime::{Error, Trap, WasmBacktrace};

/// Why a component could not be loaded, or its call did not come to an answer. What a plugin says itself is a
/// [`crate::Refused`], never one of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginFault {
    /// It did what no program may do, or gave up.
    #[error(
        "it stopped with an error of its own ({what}){trace}. Nothing was changed; if it happens again, tell its publisher"
    )]
    Trapped {
        /// What it did.
        what: Trapped,
        /// Where.
        trace: Trace,
    },
    /// It took longer than it may.
    #[error(
        "it was stopped because it worked for more than {seconds} s{trace}. Nothing was changed; give it less to do; how long it may work is in its manifest, and at most what `plugins.seconds` in the configuration says"
    )]
    Deadline {
        /// How long it may, in whole seconds, rounded up.
        seconds: u64,
        /// Where it was.
        trace: Trace,
    },
    /// It asked for more memory than it may have.
    #[error(
        "it was stopped because it wanted more than {mib} MiB of memory{trace}. Nothing was changed; give it less to do; how much it may have is in its manifest, and at most what `plugins.memory_mib` in the configuration says"
    )]
    Memory {
        /// How much it may have.
        mib: u64,
        /// Where it was.
        trace: Trace,
    },
    /// It asked for more table space than it may have.
    #[error(
        "it was stopped because it wanted tables of more than {elements} entries{trace}. Nothing was changed; tell its publisher"
    )]
    Tables {
        /// How many it may have.
        elements: u64,
        /// Where it was.
        trace: Trace,
    },
    /// Its own calls went too deep.
    #[error("it was stopped because its own calls went too deep{trace}. Nothing was changed; tell its publisher")]
    StackOverflow {
        /// Where it was.
        trace: Trace,
    },
    /// It answered with more than is taken.
    #[error(
        "it answered with {bytes} bytes, and {limit} is the most that is taken. Nothing was changed; tell its publisher"
    )]
    TooMuchOutput {
        /// How much.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// It handed over a value that its own interface does not allow, or one larger than the host takes.
    #[error(
        "it handed over a value that is malformed, or larger than {limit} bytes{trace}. Nothing was changed; tell its publisher"
    )]
    BadValue {
        /// The most that is taken in one piece, in bytes.
        limit: u64,
        /// Where it was.
        trace: Trace,
    },
    /// It ended instead of answering.
    #[error("it ended with status {status} instead of answering. Nothing was changed; tell its publisher")]
    Exited {
        /// As it gave it.
        status: i32,
    },
    /// It is not a component.
    #[error(
        "it is not a WebAssembly component ({reason}). Get the file again, from where it is published; a plugin is built with `deskhand plugin build`"
    )]
    NotAComponent {
        /// Why not.
        reason: String,
    },
    /// It ends in the middle.
    #[error("its file ends in the middle, after {bytes} bytes. Get it again")]
    Truncated {
        /// How much there is.
        bytes: u64,
    },
    /// It is larger than any plugin may be.
    #[error("its file has {bytes} bytes, and {limit} is the most that a plugin may have")]
    TooLarge {
        /// How much there is.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// It says nothing of itself.
    #[error(
        "it has no manifest, so nothing is known of what it is or asks for. Build it with `deskhand plugin build`, which puts `plugin.toml` into it"
    )]
    ManifestMissing,
    /// What it says of itself cannot be read.
    #[error(
        "its manifest cannot be read: {reason}. Mend `plugin.toml` and build it again, or install a version of Deskhand that knows what it asks for"
    )]
    ManifestBad {
        /// Why.
        reason: String,
    },
    /// It is not what it is said to be.
    #[error(
        "its manifest is not the one that was signed for it ({difference} differs). Do not use it; tell the marketplace"
    )]
    ManifestDiffers {
        /// The first field that differs.
        difference: String,
    },
    /// It imports something that it may not have.
    #[error("{0}")]
    BadImport(Box<Refusal>),
    /// It does not export what its manifest says that it does.
    #[error(
        "its manifest declares {declared}, but the component does not export `{export}`. Tell its publisher: a build with `deskhand plugin build` would have said so"
    )]
    RoleMissing {
        /// What the manifest declares.
        declared: String,
        /// What is missing.
        export: String,
    },
    /// What it imports is of another type than what the host has under that name.
    #[error(
        "what it was built for (interface {wanted}) does not fit this Deskhand, which offers {INTERFACE}: {reason}. Install another version of it, or update Deskhand"
    )]
    Unlinkable {
        /// The interface that it says it was built for.
        wanted: String,
        /// Which import, and how it differs.
        reason: String,
    },
    /// The compiler refused it, or was stopped.
    #[error("it could not be compiled: {0}")]
    CompileFailed(crate::compile::CompileFailure),
    /// Its file is gone or not what was installed.
    #[error("its installed file {problem}. Install it again: `deskhand plugin install {name}`")]
    Damaged {
        /// What is wrong with the file.
        problem: &'static str,
        /// What to install.
        name: String,
    },
    /// It could not be started, for a reason that is its own: too many memories, a start that fails.
    #[error("it could not be started: {reason}. Tell its publisher")]
    CannotStart {
        /// Why.
        reason: String,
    },
    /// The host failed it.
    #[error("Deskhand could not serve it: {reason}. `deskhand doctor` may say more")]
    Host {
        /// Why.
        reason: String,
    },
}

impl PluginFault {
    /// True if the same call can succeed later without anything being mended.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Deadline { .. } | Self::Host { .. } => true,
            Self::CompileFailed(failure) => failure.is_retryable(),
            Self::Trapped { .. }
            | Self::Memory { .. }
            | Self::Tables { .. }
            | Self::StackOverflow { .. }
            | Self::TooMuchOutput { .. }
            | Self::BadValue { .. }
            | Self::Exited { .. }
            | Self::NotAComponent { .. }
            | Self::Truncated { .. }
            | Self::TooLarge { .. }
            | Self::ManifestMissing
            | Self::ManifestBad { .. }
            | Self::ManifestDiffers { .. }
            | Self::BadImport(_)
            | Self::RoleMissing { .. }
            | Self::Unlinkable { .. }
            | Self::Damaged { .. }
            | Self::CannotStart { .. } => false,
        }
    }

    /// The name of the kind, in events: stable.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Trapped { .. } => "trapped",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::Tables { .. } => "tables",
            Self::StackOverflow { .. } => "stack-overflow",
            Self::TooMuchOutput { .. } => "too-much-output",
            Self::BadValue { .. } => "bad-value",
            Self::Exited { .. } => "exited",
            Self::NotAComponent { .. } => "not-a-component",
            Self::Truncated { .. } => "truncated",
            Self::TooLarge { .. } => "too-large",
            Self::ManifestMissing => "manifest-missing",
            Self::ManifestBad { .. } => "manifest-bad",
            Self::ManifestDiffers { .. } => "manifest-differs",
            Self::BadImport(_) => "bad-import",
            Self::RoleMissing { .. } => "role-missing",
            Self::Unlinkable { .. } => "unlinkable",
            Self::CompileFailed(_) => "compile-failed",
            Self::Damaged { .. } => "damaged",
            Self::CannotStart { .. } => "cannot-start",
            Self::Host { .. } => "host",
        }
    }
}

/// What a program did that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trapped {
    /// It gave up: a panic, an assertion.
    GaveUp,
    /// It reached outside of its memory.
    OutOfBounds,
    /// It divided by zero, or a number did not fit.
    Arithmetic,
    /// It called something that is not there or is something else.
    BadCall,
    /// It broke a rule of the component model.
    Rules,
}

impl fmt::Display for Trapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GaveUp => "it gave up",
            Self::OutOfBounds => "it reached outside of its memory",
            Self::Arithmetic => "it divided by zero, or a number did not fit",
            Self::BadCall => "it called a function that is not there",
            Self::Rules => "it broke a rule of the component model",
        })
    }
}

/// Where a plugin was, as names of its functions, innermost first. The names are the plugin's own and not trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(pub Vec<String>);

impl fmt::Display for Trace {
    /// The innermost functions with a name that says something, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtime = |name: &str| {
            ["core::", "std::", "alloc::", "__rust", "rust_", "abort", "dlmalloc", "_"]
                .iter()
                .any(|p| name.starts_with(p))
        };
        let mut names = self.0.iter().filter(|name| !runtime(name)).take(2);
        let Some(first) = names.next() else { return Ok(()) };
        write!(f, ", in `{first}`")?;
        names.next().map_or(Ok(()), |second| write!(f, " called by `{second}`"))
    }
}

/// Raised in a call to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    /// The plugin's time is over.
    #[error("the time is over")]
    Deadline,
    /// The person stopped it.
    #[error("stopped")]
    Stopped,
}

/// Why a call ended without an answer.
#[derive(Debug)]
pub(crate) enum Cause {
    Stopped,
    Fault(PluginFault),
}

/// What `error`, raised while a plugin ran, says of it. `limiter` knows what was refused on the way: a program that is
/// refused memory often ends itself, and the memory is the cause.
pub(crate) fn classify(error: &Error, limiter: &Limiter, seconds: u64, piece: usize) -> Cause {
    let trace = Trace(error.downcast_ref::<WasmBacktrace>().map(names).unwrap_or_default());
    if let Some(ended) = error.downcast_ref::<Ended>() {
        return match ended {
            Ended::Stopped => Cause::Stopped,
            Ended::Deadline => Cause::Fault(PluginFault::Deadline { seconds, trace }),
        };
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return Cause::Fault(PluginFault::Exited { status: exit.0 });
    }
    let trap = error.downcast_ref::<Trap>();
    // what a program does that was refused memory and did not reckon with it
    let gives_up = trap.is_none_or(|trap| matches!(trap, Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds));
    Cause::Fault(match (limiter.exceeded().filter(|_| gives_up), trap) {
        (Some(Exceeded::Memory), _) => PluginFault::Memory { mib: limiter.memory_mib(), trace },
        (Some(Exceeded::Tables), _) => PluginFault::Tables { elements: limiter.table_elements(), trace },
        (None, Some(Trap::StackOverflow)) => PluginFault::StackOverflow { trace },
        (None, Some(trap)) => PluginFault::Trapped { what: kind(*trap), trace },
        (None, None) => PluginFault::BadValue { limit: u64::try_from(piece).unwrap_or(u64::MAX), trace },
    })
}

/// What `error`, raised while a component was instantiated, says of it.
pub(crate) fn classify_start(error: &Error, limiter: &Limiter, seconds: u64, piece: usize) -> Cause {
    let known = error.is::<Ended>() || error.is::<Trap>() || error.is::<wasmtime_wasi::I32Exit>();
    if known || limiter.exceeded().is_some() {
        return classify(error, limiter, seconds, piece);
    }
    Cause::Fault(PluginFault::CannotStart { reason: format!("{error:#}") })
}

fn kind(trap: Trap) -> Trapped {
    match trap {
        Trap::UnreachableCodeReached => Trapped::GaveUp,
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::TableOutOfBounds | Trap::ArrayOutOfBounds => {
            Trapped::OutOfBounds
        }
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => Trapped::Arithmetic,
        Trap::IndirectCallToNull | Trap::BadSignature | Trap::NullReference | Trap::CastFailure => Trapped::BadCall,
        _ => Trapped::Rules,
    }
}

fn names(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => deskhand_vocabulary::text::shortened(name, 120),
        None => format!("_function_{}", frame.func_index()),
    };
    backtrace.frames().iter().map(name).collect()
}
