//! For writing checks in Rust: the command line and the answer of a monitoring plugin
//! ([`Plugin`], [`Answer`]), thresholds ([`Limits`]), connections ([`Connection`]), facts
//! ([`fact`]), the operator's values ([`env()`]) and a memory between runs ([`load`],
//! [`save`]).
//!
//! ```no_run
//! use wasmagent::{fact, Answer, Failure, Limits, Opt, Plugin, State};
//!
//! static PLUGIN: Plugin = Plugin {
//!     name: "check_uptime",
//!     version: "1.0.0",
//!     about: "looks at the uptime",
//!     usage: "[-w RANGE]",
//!     options: &[Opt('w', "warning", "RANGE", "WARNING outside of this range")],
//!     late: State::Unknown,
//! };
//!
//! fn main() {
//!     let mut run = PLUGIN.begin();
//!     let mut limits = Limits::default();
//!     while let Some('w') = run.next_option() {
//!         limits.warn = Some(run.read());
//!     }
//!     run.exit(check(limits))
//! }
//!
//! fn check(limits: Limits) -> Result<Answer, Failure> {
//!     let seconds = fact("uptime")?["uptime_seconds"].number();
//!     let text = format!("up for {seconds:.0} seconds");
//!     Ok(Answer::new(limits.judge(seconds), text).with(limits.perf("uptime", seconds, "s")))
//! }
//! ```
//!
//! It is optional. A check is an ordinary program, and everything that the agent gives
//! to one is a file; this crate spells the files' names, bounds what is read and turns
//! errors into words. It needs nothing but the standard library, is built for
//! `wasm32-wasip1` or, as that was once called, `wasm32-wasi`, and is a directory to
//! copy into a module. A check has one thread. One that panics is UNKNOWN.

mod answer;
mod connection;
mod failure;
mod file;
mod json;
mod limits;
mod plugin;

pub use answer::{Answer, Perf, State};
pub use connection::Connection;
pub use failure::Failure;
pub use file::{env, fact, load, save};
pub use json::Json;
pub use limits::{Limits, Range};
pub use plugin::{Opt, Plugin, Run};
