use std::io;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time of the check was over: the state that the plugin says.
    Late,
    /// A server did not do what it should: CRITICAL.
    Server(String),
    /// Anything else, such as a path that is not granted: UNKNOWN.
    Unknown(String),
}

/// The numbers of errors, which are WASI's on every machine.
/// <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno>
pub(crate) mod errno {
    pub const ACCES: i32 = 2;
    pub const CONNREFUSED: i32 = 14;
    pub const CONNRESET: i32 = 15;
    pub const HOSTUNREACH: i32 = 23;
    pub const NOENT: i32 = 44;
    pub const PROTO: i32 = 65;
    pub const TIMEDOUT: i32 = 73;
}

impl Failure {
    /// What an error means for a document or a file.
    pub fn of_file(path: &str, error: &io::Error) -> Failure {
        match Failure::of_server(path, error) {
            Failure::Server(text) => Failure::Unknown(text),
            other => other,
        }
    }

    /// What an error means for a connection.
    pub fn of_server(path: &str, error: &io::Error) -> Failure {
        let number = error.raw_os_error().unwrap_or(0);
        let text = format!("{}: {}", path, words(number).map_or(error.to_string(), str::to_string));
        match number {
            errno::NOENT | errno::ACCES => Failure::Unknown(text),
            errno::TIMEDOUT => Failure::Late,
            _ => Failure::Server(text),
        }
    }
}

/// What an error means where a path is a capability.
fn words(number: i32) -> Option<&'static str> {
    Some(match number {
        errno::NOENT => "not granted, or not there; \"permissions\" in module.json and \"allow\" in config.toml must both match it",
        errno::ACCES => "refused; wasmagent run --trace says why",
        errno::CONNREFUSED => "connection refused: nothing listens on that port",
        errno::CONNRESET => "the server has broken the connection off",
        errno::HOSTUNREACH => "the host cannot be reached",
        errno::PROTO => "no TLS connection: the server does not speak TLS as it should, or its certificate is not trusted",
        _ => return None,
    })
}
