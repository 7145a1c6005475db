//! Does what its first argument says, as the programs beside it do.

use std::io::{copy, stdin, stdout, ErrorKind};
use std::process::exit;
use std::sync::atomic::{AtomicU32, Ordering};

static CALLS: AtomicU32 = AtomicU32::new(0);

fn main() {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args[0].as_str() {
        "words" => print!("{}: {}\n", calls, args[1..].join("|")),
        "exit" => {
            println!("exits");
            exit(args[1].parse().unwrap())
        }
        "input" => {
            copy(&mut stdin(), &mut stdout()).unwrap();
        }
        "complain" => {
            eprintln!("something is wrong");
            exit(3)
        }
        "open" => {
            let kind = std::fs::read("/absent").map_err(|e| e.kind());
            println!("open: {}", kind == Err(ErrorKind::NotFound))
        }
        "give-up" => {
            println!("before");
            panic!("deliberate")
        }
        _ => (),
    }
}
