use crate::answer::{Answer, State};
use crate::failure::Failure;
use crate::limits::number;
use std::collections::VecDeque;
use std::fmt::Display;
use std::io::Write;
use std::process::exit;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// An option of the command line: its letter (one that is not ASCII for an option with a
/// name only), its name, what the help calls its argument ("" where it takes none), and
/// what it is for.
pub struct Opt(pub char, pub &'static str, pub &'static str, pub &'static str);

impl Opt {
    /// How the option is written.
    fn shown(&self) -> String {
        if self.0.is_ascii() { format!("-{}", self.0) } else { format!("--{}", self.1) }
    }
}

/// A check as a program.
pub struct Plugin {
    /// Such as "check_disk"; the answer begins with "DISK OK: ".
    pub name: &'static str,
    /// For `-V`.
    pub version: &'static str,
    /// For the help, which continues the name with it.
    pub about: &'static str,
    /// The command line without the name.
    pub usage: &'static str,
    /// Beside `-h`, `-V` and `-t`, which every plugin has.
    pub options: &'static [Opt],
    /// The state when the time is over.
    pub late: State,
}

static OWN: [Opt; 3] = [
    Opt('t', "timeout", "SECONDS", "give up after this time (default: 9)"),
    Opt('V', "version", "", "print the version"),
    Opt('h', "help", "", "print this help"),
];

impl Plugin {
    /// Begins the run.
    pub fn begin(&'static self) -> Run {
        let mut run = Run {
            plugin: self,
            began: Instant::now(),
            timeout: Duration::ZERO,
            deadline: Instant::now(),
            argument: String::new(),
            option: String::new(),
            words: std::env::args().skip(1).collect(),
            letters: String::new(),
            others: Vec::new(),
        };
        run.give(Duration::from_secs(9));
        run
    }

    fn all(&self) -> impl Iterator<Item = &'static Opt> {
        self.options.iter().chain(OWN.iter())
    }

    /// Finds the options of a name, which may be cut short.
    fn named(&self, name: &str) -> Vec<&'static Opt> {
        let exact: Vec<_> = self.all().filter(|o| o.1 == name).collect();
        if exact.is_empty() { self.all().filter(|o| o.1.starts_with(name)).collect() } else { exact }
    }

    fn help(&self) -> ! {
        println!("{0} {1}\n\n{0} {2}.\n\nUsage: {0} {3}\n", self.name, self.version, self.about, self.usage);
        for o in self.all() {
            let letter = if o.0.is_ascii() { format!("-{}, ", o.0) } else { String::new() };
            let argument = if o.2.is_empty() { String::new() } else { format!("={}", o.2) };
            println!(" {letter}--{}{argument}\n    {}", o.1, o.3);
        }
        exit(State::Unknown as i32)
    }
}

/// One run of a plugin.
pub struct Run {
    /// When the time of the check is over.
    pub deadline: Instant,
    /// The argument of the option that [`Run::next_option`] returned.
    pub argument: String,
    plugin: &'static Plugin,
    began: Instant,
    timeout: Duration,
    option: String, // as it is written
    words: VecDeque<String>,
    letters: String,     // what is left of a word such as -Ap
    others: Vec<String>, // words that are no options
}

impl Run {
    /// Returns the letter of the next option, and `None` when there is no more. It
    /// deals with `-h`, `-V` and `-t` itself. Letters may be joined, an argument may be
    /// attached, a name may be cut short, and "--" ends the options. A mistake ends the
    /// program; so does a word that is no option.
    pub fn next_option(&mut self) -> Option<char> {
        loop {
            match self.take()? {
                'h' => self.plugin.help(),
                'V' => {
                    println!("{} {}", self.plugin.name, self.plugin.version);
                    exit(State::Unknown as i32)
                }
                't' => {
                    let seconds = self.number();
                    if !(seconds > 0.0 && seconds <= 1e9) {
                        self.wrong("is no time in seconds; want a number above 0")
                    }
                    self.give(Duration::from_secs_f64(seconds))
                }
                letter => return Some(letter),
            }
        }
    }

    fn give(&mut self, time: Duration) {
        self.timeout = time;
        self.deadline = self.began + time;
    }

    /// Takes an option of any kind.
    fn take(&mut self) -> Option<char> {
        if !self.letters.is_empty() {
            return Some(self.short());
        }
        let word = self.words.pop_front().unwrap_or_else(|| "--".to_string());
        match word.strip_prefix('-') {
            Some("-") => self.end(),
            Some(rest) if rest.starts_with('-') => Some(self.long(&rest[1..])),
            Some(rest) if !rest.is_empty() => {
                self.letters = rest.to_string();
                Some(self.short())
            }
            _ => {
                self.others.push(word);
                self.take()
            }
        }
    }

    /// Ends the options.
    fn end(&mut self) -> Option<char> {
        self.others.extend(self.words.drain(..));
        if let Some(word) = self.others.first() {
            self.mistake(&format!("unexpected {word:.60?}"))
        }
        None
    }

    fn long(&mut self, word: &str) -> char {
        let (name, attached) = word.split_once('=').map_or((word, None), |(n, a)| (n, Some(a.to_string())));
        match *self.plugin.named(name).as_slice() {
            [option] => self.chosen(option, attached),
            [] => self.mistake(&format!("there is no option --{name:.60}")),
            [a, b, ..] => self.mistake(&format!("--{name:.60} may be --{} or --{}", a.1, b.1)),
        }
    }

    fn short(&mut self) -> char {
        let letter = self.letters.remove(0);
        let option = match self.plugin.all().find(|o| o.0 == letter) {
            Some(option) if letter.is_ascii() => option,
            _ => self.mistake(&format!("there is no option -{letter}")),
        };
        let rest = std::mem::take(&mut self.letters);
        if option.2.is_empty() {
            self.letters = rest;
            return self.chosen(option, None);
        }
        self.chosen(option, Some(rest).filter(|r| !r.is_empty()))
    }

    /// Finds the argument of an option.
    fn chosen(&mut self, option: &Opt, attached: Option<String>) -> char {
        self.option = option.shown();
        self.argument = match (option.2.is_empty(), attached) {
            (true, Some(_)) => self.mistake(&format!("{} takes no argument", self.option)),
            (true, None) => String::new(),
            (false, Some(argument)) => argument,
            (false, None) => match self.words.pop_front() {
                Some(argument) => argument,
                None => self.mistake(&format!("{} lacks its {}", self.option, option.2)),
            },
        };
        option.0
    }

    /// Reads the argument as a decimal number. One that cannot be read ends the program.
    pub fn number(&self) -> f64 {
        number(&self.argument).unwrap_or_else(|| self.wrong("is no number"))
    }

    /// Reads the argument as a [`Range`](crate::Range), a whole number or anything else
    /// that is made of text. One that cannot be read ends the program.
    pub fn read<T>(&self) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.argument.parse() {
            Ok(value) => value,
            Err(e) => self.mistake(&format!("{}: {:.40?}: {}", self.option, self.argument, e)),
        }
    }

    /// Says what is wrong with the argument, and ends the program.
    pub fn wrong(&self, what: &str) -> ! {
        self.mistake(&format!("{}: {:.40?} {}", self.option, self.argument, what))
    }

    /// Says what is wrong with the command line, and ends the program.
    pub fn mistake(&self, what: &str) -> ! {
        println!("{0}: {1}; see {0} --help", self.plugin.name, what.replace('\n', " ").replace('|', "\u{a6}"));
        exit(State::Unknown as i32)
    }

    /// Prints the answer, and ends the program.
    pub fn exit(&self, answer: Result<Answer, Failure>) -> ! {
        let answer = answer.unwrap_or_else(|failure| self.failed(failure));
        let name = self.plugin.name;
        let label = name.strip_prefix("check_").unwrap_or(name).to_uppercase();
        let printed = writeln!(std::io::stdout(), "{label} {answer}");
        exit(if printed.is_ok() { answer.state } else { State::Unknown } as i32)
    }

    fn failed(&self, failure: Failure) -> Answer {
        match failure {
            Failure::Late => {
                let seconds = self.timeout.min(self.began.elapsed()).as_secs_f64();
                Answer::new(self.plugin.late, format!("no answer within {} seconds", (seconds * 100.0).round() / 100.0))
            }
            Failure::Server(text) => Answer::new(State::Critical, text),
            Failure::Unknown(text) => Answer::new(State::Unknown, text),
        }
    }
}
