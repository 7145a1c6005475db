//! check_disk compares the free space of file systems with thresholds.
//!
//!     check_disk -w 10% -c 5% [-p PATH]...
//!
//! The options and the states are those of the Monitoring Plugins' check_disk. It needs
//! the permission "/host/filesystems".

use wasmagent::{fact, Answer, Failure, Json, Opt, Perf, Plugin, Range, Run, State};

static PLUGIN: Plugin = Plugin {
    name: "check_disk",
    version: "1.0.0",
    about: "compares the free space of file systems with thresholds",
    usage: "-w LEAST -c LEAST [-p PATH]... [-x PATH]... [-X TYPE]... [-N TYPE]... [-u UNIT] [-E] [-e] [-M]",
    options: &[
        Opt('w', "warning", "LEAST", "WARNING if no more than this is free: units (-u), or percent: 10%"),
        Opt('c', "critical", "LEAST", "CRITICAL if no more than this is free"),
        Opt('W', "iwarning", "PERCENT", "WARNING if no more than this share of the inodes is free"),
        Opt('K', "icritical", "PERCENT", "CRITICAL if no more than this share of the inodes is free"),
        Opt('p', "path", "PATH", "look at the file system of this mount point, device or file;\n    what stands before it is what it is compared with"),
        Opt('A', "all", "", "look at all file systems, as without -p"),
        Opt('E', "exact-match", "", "take -p for nothing but a mount point or a device"),
        Opt('x', "exclude_device", "PATH", "leave out this mount point or device"),
        Opt('X', "exclude-type", "TYPE", "leave out file systems of this type"),
        Opt('N', "include-type", "TYPE", "look at file systems of this type only"),
        Opt('e', "errors-only", "", "show only what is not OK"),
        Opt('M', "mountpoint", "", "show the devices, not the mount points"),
        Opt('u', "units", "UNIT", "bytes, kB, MB, GB or TB, of 1024 each (default: MB)"),
        Opt('k', "kilobytes", "", "the same as -u kB"),
        Opt('m', "megabytes", "", "the same as -u MB"),
    ],
    late: State::Critical,
};

/// What has to be free. What is `None` has not to be.
#[derive(Clone, Copy, Default)]
struct Least {
    units: Option<f64>,
    percent: Option<f64>,
    inodes: Option<f64>, // percent
}

impl Least {
    fn is_set(&self) -> bool {
        self.units.or(self.percent).or(self.inodes).is_some()
    }

    /// Reads what -w and -c say.
    fn read(&mut self, run: &Run) {
        match run.argument.strip_suffix('%') {
            Some(percent) => self.percent = Some(amount(run, percent)),
            None => self.units = Some(amount(run, &run.argument)),
        }
    }
}

fn amount(run: &Run, text: &str) -> f64 {
    match text.parse() {
        Ok(number) if (0.0..1e18).contains(&number) => number,
        _ => run.wrong("is no amount; want one such as 500 or 10%"),
    }
}

/// The least for WARNING, and for CRITICAL.
#[derive(Clone, Copy, Default)]
struct Thresholds {
    warn: Least,
    crit: Least,
}

/// What the command line asks.
#[derive(Default)]
struct Question {
    now: Thresholds,                          // those that were read last
    paths: Vec<(Option<String>, Thresholds)>, // None is all file systems
    exact: bool,
    excluded: Vec<String>,
    excluded_types: Vec<String>,
    included_types: Vec<String>,
    errors_only: bool,
    devices: bool,
    unit: Unit,
}

/// A unit of size: its name, and how many bytes it has.
struct Unit(&'static str, f64);

impl Default for Unit {
    fn default() -> Unit {
        Unit("MiB", 1048576.0)
    }
}

fn unit(name: &str) -> Option<Unit> {
    Some(match name {
        "bytes" => Unit("B", 1.0),
        "kB" | "KiB" => Unit("KiB", 1024.0),
        "MB" | "MiB" => Unit::default(),
        "GB" | "GiB" => Unit("GiB", 1073741824.0),
        "TB" | "TiB" => Unit("TiB", 1099511627776.0),
        _ => return None,
    })
}

fn asked(run: &mut Run) -> Question {
    let mut q = Question::default();
    while let Some(option) = run.next_option() {
        let text = run.argument.clone();
        match option {
            'w' => q.now.warn.read(run),
            'c' => q.now.crit.read(run),
            'W' => q.now.warn.inodes = Some(amount(run, text.trim_end_matches('%'))),
            'K' => q.now.crit.inodes = Some(amount(run, text.trim_end_matches('%'))),
            'p' => q.select(run, Some(text)),
            'A' => q.select(run, None),
            'E' => q.exact = true,
            'x' => q.excluded.push(text),
            'X' => q.excluded_types.push(text),
            'N' => q.included_types.push(text),
            'e' => q.errors_only = true,
            'M' => q.devices = true,
            'u' => q.unit = unit(&text).unwrap_or_else(|| run.wrong("is no unit; want bytes, kB, MB, GB or TB")),
            'k' => q.unit = Unit("KiB", 1024.0),
            _ => q.unit = Unit::default(),
        }
    }
    if q.paths.is_empty() {
        q.select(run, None);
    }
    q
}

impl Question {
    fn select(&mut self, run: &Run, path: Option<String>) {
        if !self.now.warn.is_set() && !self.now.crit.is_set() {
            run.mistake("how much has to be free? give -w or -c, before -p");
        }
        self.paths.push((path, self.now));
    }

    fn belongs(&self, f: &Json) -> bool {
        let is = |name: &String| name == f["mount_point"].text() || name == f["device"].text();
        let of_type = |name: &String| name == f["type"].text();
        !self.excluded.iter().any(is)
            && !self.excluded_types.iter().any(of_type)
            && (self.included_types.is_empty() || self.included_types.iter().any(of_type))
    }

    /// Finds the file systems that a path selects.
    fn selected<'a>(&self, list: &'a [Json], path: &Option<String>) -> Result<Vec<&'a Json>, Answer> {
        let found = match path {
            None => list.iter().collect(),
            Some(path) => match find(list, path, self.exact) {
                Some(f) => vec![f],
                None => return Err(Answer::new(State::Critical, format!("{path} not found"))),
            },
        };
        Ok(found.into_iter().filter(|f| self.belongs(f)).collect())
    }
}

/// Finds the file system that a path names, or is in.
fn find<'a>(list: &'a [Json], path: &str, exact: bool) -> Option<&'a Json> {
    let named = list.iter().find(|f| f["mount_point"].text() == path || f["device"].text() == path);
    if named.is_some() || exact {
        return named;
    }
    let within = |f: &&Json| {
        let mount = f["mount_point"].text().trim_end_matches(['/', '\\']);
        path.strip_prefix(mount).map_or(false, |rest| rest.is_empty() || rest.starts_with(['/', '\\']))
    };
    list.iter().filter(within).max_by_key(|f| f["mount_point"].text().len())
}

/// The share that is free in percent, rounded down, as df rounds what is used up.
fn free_percent(usage: &Json) -> f64 {
    100.0 - (usage["used_ratio"].number() * 100.0).ceil()
}

impl Unit {
    /// How many whole units a size has.
    fn of(&self, bytes: &Json) -> f64 {
        (bytes.number() / self.1).floor()
    }

    fn is_short(&self, usage: &Json, least: &Least) -> bool {
        let no_more = |free: f64, least: Option<f64>| least.map_or(false, |least| free <= least);
        no_more(self.of(&usage["available_bytes"]), least.units)
            || no_more(free_percent(usage), least.percent)
            || no_more(free_percent(&usage["inodes"]), least.inodes)
    }

    /// What may be used, as the threshold of performance data.
    fn range(&self, usage: &Json, least: &Least) -> Option<Range> {
        let total = usage["total_bytes"].number();
        let units = least.units.map(|units| total - units * self.1);
        let percent = least.percent.map(|percent| (total * (1.0 - percent / 100.0)).floor());
        let end = units.into_iter().chain(percent).reduce(f64::min)?;
        Some(Range { start: 0.0, end: end.max(0.0), inside: false })
    }

    /// What there is to say of one file system.
    fn look(&self, f: &Json, name: &str, thresholds: &Thresholds) -> Answer {
        let usage = &f["usage"];
        if usage.is_null() {
            return Answer::new(State::Critical, format!("{name}: {}", f["error"].text()));
        }
        let state = match () {
            _ if self.is_short(usage, &thresholds.crit) => State::Critical,
            _ if self.is_short(usage, &thresholds.warn) => State::Warning,
            _ => State::Ok,
        };
        let inodes = free_percent(&usage["inodes"]);
        let inodes = if inodes.is_nan() { String::new() } else { format!(" inode={inodes}%") };
        let free = self.of(&usage["available_bytes"]);
        let text = format!("{name} {free}{} ({}%{inodes})", self.0, free_percent(usage));
        Answer::new(state, text).with(Perf {
            label: name.to_string(),
            value: usage["used_bytes"].number(),
            unit: "B".to_string(),
            warn: self.range(usage, &thresholds.warn),
            crit: self.range(usage, &thresholds.crit),
            min: Some(0.0),
            max: Some(usage["total_bytes"].number()),
        })
    }
}

fn check(q: &Question) -> Result<Answer, Failure> {
    let document = fact("filesystems")?;
    let mut seen = Vec::new();
    let mut all = Answer::new(State::Ok, "free space:");
    for (path, thresholds) in &q.paths {
        let found = match q.selected(document["filesystems"].list(), path) {
            Ok(found) => found,
            Err(answer) => return Ok(answer),
        };
        for f in found {
            let mount = f["mount_point"].text();
            if seen.contains(&mount) {
                continue;
            }
            seen.push(mount);
            let one = q.unit.look(f, if q.devices { f["device"].text() } else { mount }, thresholds);
            if !q.errors_only || one.state != State::Ok {
                all.text += &format!(" {};", one.text);
            }
            all.state = all.state.max(one.state);
            all.perf.extend(one.perf);
        }
    }
    if seen.is_empty() {
        return Err(Failure::Unknown("no file system is selected".to_string()));
    }
    Ok(all)
}

fn main() {
    let mut run = PLUGIN.begin();
    let question = asked(&mut run);
    run.exit(check(&question))
}
