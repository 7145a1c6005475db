use crate::failure::{errno, Failure};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::wasi::io::AsRawFd;
use std::time::{Duration, Instant};

/// A connection. A read waits until its deadline, and is then an error of the kind
/// `TimedOut`. A write waits while the other side takes nothing.
pub struct Connection {
    file: File,
    path: String,
    deadline: Instant,
}

impl Connection {
    /// Connects over a network: "tcp", "tls" (the server's certificate is verified for
    /// the host) or "udp" (each write is one datagram). The agent looks the name up,
    /// connects and speaks TLS. That holds the program up; the deadline does not end it,
    /// but it does end, a little before the limit on the run. If the deadline is over
    /// then, it is [`Failure::Late`].
    pub fn dial(network: &str, host: &str, port: u16, deadline: Instant) -> Result<Connection, Failure> {
        let path = format!("/dev/{}/{}/{}", network, canonical(host), port);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|e| Failure::of_server(&path, &e))?;
        if Instant::now() >= deadline {
            return Err(Failure::Late);
        }
        Ok(Connection { file, path, deadline })
    }

    /// Tells the other side that there is no more, and leaves the connection to be read.
    pub fn close_write(&self) -> io::Result<()> {
        result(unsafe { sock_shutdown(self.file.as_raw_fd() as u32, WRITING) })
    }

    /// What an error of reading or writing means for the check.
    pub fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_server(&self.path, error)
    }

    /// Waits until something can be read.
    fn wait(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left == Duration::ZERO || !poll(self.file.as_raw_fd() as u32, left)? {
            return Err(io::Error::from_raw_os_error(errno::TIMEDOUT));
        }
        Ok(())
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.file.read(buffer)
    }
}

impl Write for Connection {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a host in the one way that grants and paths know: a name in small letters
/// without a dot at its end, an IP address in its shortest form.
fn canonical(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V6(v6)) => v6.to_ipv4_mapped().map_or(v6.to_string(), |v4| v4.to_string()),
        Ok(v4) => v4.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn poll_oneoff(subscriptions: *const u64, events: *mut u64, count: usize, done: *mut usize) -> u16;
    fn sock_shutdown(descriptor: u32, how: u8) -> u16;
}

const WRITING: u8 = 2;
const MONOTONIC: u64 = 1;
const ON_CLOCK: u64 = 0;
const ON_READ: u64 = 1;

fn result(errno: u16) -> io::Result<()> {
    match errno {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(errno.into())),
    }
}

/// Waits for some time until a descriptor can be read, and tells whether it can.
fn poll(descriptor: u32, time: Duration) -> io::Result<bool> {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // Two subscriptions of 48 bytes: its name, what it is for, and of a descriptor
    // its number, of a clock which, when, how exactly, and flags.
    let subscriptions: [u64; 12] = [0, ON_READ, descriptor.into(), 0, 0, 0, 1, ON_CLOCK, MONOTONIC, nanoseconds, 0, 0];
    let (mut events, mut done) = ([0u64; 8], 0usize); // of 32 bytes, which begin with that name
    result(unsafe { poll_oneoff(subscriptions.as_ptr(), events.as_mut_ptr(), 2, &mut done) })?;
    Ok(done > 0 && events[0] == 0)
}
