//! check_service looks whether services run.
//!
//!     check_service [-s NAME]... [-x NAME]...
//!
//! Without -s it looks at all services that are started with the system. It needs the
//! permission "/host/services".

use wasmagent::{fact, Answer, Failure, Json, Limits, Opt, Plugin, Run, State};

static PLUGIN: Plugin = Plugin {
    name: "check_service",
    version: "1.0.0",
    about: "looks whether services run",
    usage: "[-s NAME]... [-x NAME]...",
    options: &[
        Opt('s', "service", "NAME", "look at this service, such as ssh, ssh.service or Spooler;\n    all that are started with the system unless told"),
        Opt('x', "exclude", "NAME", "leave out this service"),
    ],
    late: State::Unknown,
};

/// What the command line asks.
#[derive(Default)]
struct Question {
    names: Vec<String>,
    excluded: Vec<String>,
}

fn asked(run: &mut Run) -> Question {
    let mut q = Question::default();
    while let Some(option) = run.next_option() {
        let list = if option == 's' { &mut q.names } else { &mut q.excluded };
        list.push(run.argument.clone());
    }
    q
}

/// Tells whether a service has a name, which may lack the ".service" of systemd. The
/// names of Windows ignore case.
fn is_called(service: &Json, name: &str, manager: &str) -> bool {
    let full = service["name"].text();
    match manager {
        "windows" => full.eq_ignore_ascii_case(name),
        "systemd" => full == name || full.strip_suffix(".service") == Some(name),
        _ => full == name,
    }
}

/// Finds the services that are to be looked at.
fn selected<'a>(q: &'a Question, document: &'a Json) -> Result<Vec<&'a Json>, Answer> {
    let manager = document["manager"].text();
    let list = document["services"].list();
    let called = |s: &Json, name: &String| is_called(s, name, manager);
    let kept = |s: &&Json| !q.excluded.iter().any(|name| called(s, name));
    if q.names.is_empty() {
        let automatic = |s: &&Json| s["start"].text() == "automatic";
        return Ok(list.iter().filter(automatic).filter(kept).collect());
    }
    let mut found = Vec::new();
    for name in &q.names {
        let missing = || Answer::new(State::Critical, format!("there is no service {name}"));
        found.push(list.iter().find(|s| called(s, name)).ok_or_else(missing)?);
    }
    Ok(found.into_iter().filter(kept).collect())
}

/// What the state of a service means. One that ended well has done what it was for.
fn judge(service: &Json) -> State {
    match service["state"].text() {
        "running" | "exited" => State::Ok,
        "starting" | "stopping" | "paused" => State::Warning,
        "" => State::Unknown,
        _ => State::Critical,
    }
}

/// What is shown of a service.
fn shown(service: &Json) -> String {
    let state = service["state"].text();
    let state = if state.is_empty() { "in a state that the system does not tell" } else { state };
    format!("{} is {state}", service["name"].text())
}

/// Which of two states matters more: CRITICAL, then WARNING, then UNKNOWN.
fn weight(state: &State) -> usize {
    [State::Ok, State::Unknown, State::Warning, State::Critical].iter().position(|s| s == state).unwrap_or(0)
}

fn check(q: &Question) -> Result<Answer, Failure> {
    let document = fact("services")?;
    if document["manager"].text().is_empty() {
        return Err(Failure::Unknown("there is no service manager here".to_string()));
    }
    let services = match selected(q, &document) {
        Ok(services) => services,
        Err(answer) => return Ok(answer),
    };
    let bad: Vec<_> = services.iter().filter(|s| judge(s) != State::Ok).collect();
    let state = services.iter().map(|s| judge(s)).max_by_key(weight);
    let text = match (bad.as_slice(), services.as_slice()) {
        (_, []) => return Err(Failure::Unknown("no service is selected".to_string())),
        ([], [one]) => shown(one),
        ([], all) => format!("none of {} services is down", all.len()),
        (bad, _) => bad.iter().map(|s| shown(s)).collect::<Vec<_>>().join(", "),
    };
    let answer = Answer::new(state.unwrap_or(State::Unknown), text);
    Ok(answer.with(Limits::default().perf("not_running", bad.len() as f64, "")))
}

fn main() {
    let mut run = PLUGIN.begin();
    let question = asked(&mut run);
    run.exit(check(&question))
}
