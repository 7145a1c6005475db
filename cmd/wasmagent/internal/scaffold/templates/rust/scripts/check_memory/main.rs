// check_memory says how much memory is in use. It alerts when that is more
// than a percentage of all the memory:
//
//     check_memory [-w PERCENT] [-c PERCENT]

use std::process::exit;

fn main() {
    match check() {
        Ok(status) => exit(status),
        Err(reason) => {
            println!("UNKNOWN: {}", reason);
            exit(3)
        }
    }
}

fn check() -> Result<i32, String> {
    let (mut warn, mut crit) = (80.0, 90.0);
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        let value = args.next().and_then(|v| v.parse::<f64>().ok());
        match (option.as_str(), value) {
            ("-w", Some(v)) => warn = v,
            ("-c", Some(v)) => crit = v,
            _ => return Err("usage: check_memory [-w PERCENT] [-c PERCENT]".to_string()),
        }
    }

    let json = std::fs::read_to_string("/host/memory").map_err(|e| e.to_string())?;
    let percent = number(&json, "used_bytes")? / number(&json, "total_bytes")? * 100.0;
    let (state, status) = if percent > crit {
        ("CRITICAL", 2)
    } else if percent > warn {
        ("WARNING", 1)
    } else {
        ("OK", 0)
    };
    println!(
        "{}: {:.1} % of memory is in use|used={:.1}%;{};{};0;100",
        state, percent, percent, warn, crit
    );
    Ok(status)
}

/// Finds the number of a key in a flat JSON document.
fn number(json: &str, key: &str) -> Result<f64, String> {
    let quoted = format!("\"{}\":", key);
    let at = json.find(&quoted).ok_or(format!("/host/memory lacks {}", key))?;
    let rest = json[at + quoted.len()..].trim_start();
    let end = rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(rest.len());
    rest[..end].parse().map_err(|_| format!("{} is no number", key))
}
