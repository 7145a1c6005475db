use crate::answer::{Perf, State};
use std::fmt::{self, Display};
use std::str::FromStr;

/// A threshold range: an alert is raised for a value outside of `start..=end`, or
/// within it if `inside` is set. As text, "10" is 0 to 10, "10:" is 10 and above,
/// "~:10" is 10 and below, "10:20" is 10 to 20, and a leading "@" alerts inside of the
/// range. <https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub start: f64,
    pub end: f64,
    pub inside: bool,
}

impl Range {
    /// Tells whether a value raises an alert. NaN never does.
    pub fn alerts(&self, value: f64) -> bool {
        !value.is_nan() && (self.start <= value && value <= self.end) == self.inside
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(s: &str) -> Result<Range, String> {
        let text = s.strip_prefix('@').unwrap_or(s);
        let (low, high) = text.split_once(':').unwrap_or(("", text));
        let start = match low {
            "" => Some(0.0),
            "~" => Some(f64::NEG_INFINITY),
            _ => number(low),
        };
        let end = if high.is_empty() { Some(f64::INFINITY) } else { number(high) };
        match (start, end) {
            (Some(start), Some(end)) if start <= end && !(low.is_empty() && high.is_empty()) => {
                Ok(Range { start, end, inside: text.len() < s.len() })
            }
            _ => Err("this is no range; want one such as 10, 10:, ~:10, 10:20 or @10:20".to_string()),
        }
    }
}

/// Reads a decimal number and nothing else.
pub(crate) fn number(s: &str) -> Option<f64> {
    if s.contains(|c: char| !"+-.0123456789eE".contains(c)) {
        return None;
    }
    s.parse().ok().filter(|n: &f64| n.is_finite())
}

impl Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        if self.start.is_infinite() {
            f.write_str("~:")?;
        } else if self.start != 0.0 || self.end.is_infinite() {
            write!(f, "{}:", self.start)?;
        }
        if self.end.is_finite() {
            write!(f, "{}", self.end)?;
        }
        Ok(())
    }
}

/// The ranges that a value is compared with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub warn: Option<Range>,
    pub crit: Option<Range>,
}

impl Limits {
    /// What a value means. NaN is UNKNOWN.
    pub fn judge(&self, value: f64) -> State {
        let alerts = |r: Option<Range>| r.map_or(false, |r| r.alerts(value));
        match () {
            _ if value.is_nan() => State::Unknown,
            _ if alerts(self.crit) => State::Critical,
            _ if alerts(self.warn) => State::Warning,
            _ => State::Ok,
        }
    }

    /// A value as performance data, with the ranges that it was compared with.
    pub fn perf(&self, label: &str, value: f64, unit: &str) -> Perf {
        Perf {
            label: label.to_string(),
            value,
            unit: unit.to_string(),
            warn: self.warn,
            crit: self.crit,
            ..Perf::default()
        }
    }
}
