//! probe_rust is a check that uses one part of the crate inside the agent: its first
//! word says which. probe_c answers the same.

use std::io::{Read, Write};
use wasmagent::{env, fact, load, save, Answer, Connection, Failure, Json, Limits, Opt, Plugin, Run, State};

static PLUGIN: Plugin = Plugin {
    name: "check_probe",
    version: "1.0.0",
    about: "uses one part",
    usage: "--part PART",
    options: &[
        Opt('w', "warning", "RANGE", "WARNING outside of this range"),
        Opt('c', "critical", "RANGE", "CRITICAL outside of this range"),
        Opt('v', "value", "NUMBER", "what is compared"),
        Opt('l', "label", "TEXT", "what it is called"),
        Opt('q', "quiet", "", "nothing"),
        Opt('→', "part", "PART", "which part to use"),
        Opt('⇒', "parts", "PART", "the same"),
        Opt('n', "name", "NAME", "a name, or a host"),
        Opt('p', "port", "PORT", "a port"),
        Opt('d', "data", "TEXT", "what to send or keep"),
    ],
    late: State::Critical,
};

#[derive(Default)]
struct Question {
    limits: Limits,
    value: Option<f64>,
    label: String,
    part: String,
    name: String,
    port: u16,
    data: String,
}

/// Finds what a path such as "usage.inodes.0" leads to.
fn at<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').filter(|step| !step.is_empty()).try_fold(value, |value, step| match (value, step.parse::<usize>()) {
        (list, Ok(index)) => list.list().get(index),
        (Json::Object(members), _) => members.iter().find(|m| m.0 == step).map(|m| &m.1),
        _ => None,
    })
}

/// Shows a value of a document as text.
fn shown(value: Option<&Json>) -> String {
    match value {
        None => "nothing".to_string(),
        Some(Json::Text(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(value) if value.is_true() => "true".to_string(),
        Some(_) => "something".to_string(),
    }
}

/// Sends text, says that there is no more, and reads the answer to its end.
fn talk(run: &Run, q: &Question) -> Result<String, Failure> {
    let mut connection = Connection::dial(&q.part, &q.name, q.port, run.deadline)?;
    let mut answer = Vec::new();
    let talked = (|| {
        connection.write_all(q.data.as_bytes())?;
        if q.part == "udp" {
            answer.resize(4096, 0);
            let n = connection.read(&mut answer)?;
            answer.truncate(n);
            return Ok(());
        }
        connection.close_write()?;
        Read::by_ref(&mut connection).take(4096).read_to_end(&mut answer).map(|_| ())
    })();
    talked.map_err(|e| connection.failure(&e))?;
    Ok(String::from_utf8_lossy(&answer).to_string())
}

fn check(run: &Run, q: &Question) -> Result<Answer, Failure> {
    let text = match q.part.as_str() {
        "limits" => {
            let value = q.value.unwrap_or(f64::NAN);
            let mut perf = q.limits.perf(&q.label, value, "s");
            perf.min = Some(0.0);
            return Ok(Answer::new(q.limits.judge(value), q.label.clone()).with(perf));
        }
        "fact" => shown(at(&fact(&q.name)?, &q.data)),
        "env" => env(&q.name)?,
        "save" => save(&q.name, q.data.as_bytes()).map(|()| q.data.clone())?,
        "load" => load(&q.name)?.map_or("nothing".to_string(), |data| String::from_utf8_lossy(&data).to_string()),
        _ => talk(run, q)?,
    };
    Ok(Answer::new(State::Ok, text))
}

fn main() {
    let mut run = PLUGIN.begin();
    let mut q = Question { label: "value".to_string(), ..Question::default() };
    while let Some(option) = run.next_option() {
        match option {
            'w' => q.limits.warn = Some(run.read()),
            'c' => q.limits.crit = Some(run.read()),
            'v' => q.value = Some(run.number()),
            'l' => q.label = run.argument.clone(),
            'n' => q.name = run.argument.clone(),
            'p' => q.port = run.read(),
            'd' => q.data = run.argument.clone(),
            '→' => q.part = run.argument.clone(),
            _ => {}
        }
    }
    let answer = check(&run, &q);
    run.exit(answer)
}
