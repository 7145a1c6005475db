use crate::limits::Range;
use std::fmt::{self, Display};

/// The state of an answer, and the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl Display for State {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(["OK", "WARNING", "CRITICAL", "UNKNOWN"][*self as usize])
    }
}

/// What a check answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub state: State,
    /// One line: a line end in it becomes a blank, and a bar, which would begin
    /// performance data, a broken bar.
    pub text: String,
    pub perf: Vec<Perf>,
}

impl Answer {
    pub fn new(state: State, text: impl Into<String>) -> Answer {
        Answer { state, text: text.into(), perf: Vec::new() }
    }

    /// Adds performance data.
    pub fn with(mut self, perf: Perf) -> Answer {
        self.perf.push(perf);
        self
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = self.text.replace(['\r', '\n'], " ").replace('|', "\u{a6}");
        let perf: Vec<_> = self.perf.iter().map(Perf::to_string).collect();
        let bar = if perf.is_empty() { "" } else { "|" };
        write!(f, "{}: {}{}{}", self.state, text, bar, perf.join(" "))
    }
}

/// One item of performance data: `'label'=value[unit];[warn];[crit];[min];[max]`.
#[derive(Clone, Debug, Default)]
pub struct Perf {
    pub label: String,
    /// A value that is no finite number is shown as not known.
    pub value: f64,
    pub unit: String,
    pub warn: Option<Range>,
    pub crit: Option<Range>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

impl Display for Perf {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let range = |r: &Option<Range>| r.map_or(String::new(), |r| r.to_string());
        let bound = |b: Option<f64>| b.filter(|b| b.is_finite()).map_or(String::new(), |b| b.to_string());
        let value = if self.value.is_finite() { format!("{}{}", self.value, self.unit) } else { "U".to_string() };
        let label = self.label.replace(['\r', '\n'], " ").replace('\'', "''");
        let item = format!(
            "'{}'={};{};{};{};{}",
            label, value, range(&self.warn), range(&self.crit), bound(self.min), bound(self.max)
        );
        f.write_str(item.trim_end_matches(';'))
    }
}
