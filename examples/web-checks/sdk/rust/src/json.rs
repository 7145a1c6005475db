use std::ops::Index;

/// A JSON value. A member that an object lacks is `Null`, so that
/// `document["usage"]["used_bytes"].number()` is NaN if anything on the way is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    True,
    False,
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The most lists and objects within each other.
const DEPTH: usize = 64;

impl Json {
    /// Reads a document. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(DEPTH)?;
        reader.blank();
        match reader.at == text.len() {
            true => Ok(value),
            false => Err(reader.mistake("there is more after its end")),
        }
    }

    /// A number; NaN if the value is none.
    pub fn number(&self) -> f64 {
        if let Json::Number(n) = self { *n } else { f64::NAN }
    }

    /// A string; empty if the value is none.
    pub fn text(&self) -> &str {
        if let Json::Text(s) = self { s } else { "" }
    }

    /// The elements of a list; none if the value is none.
    pub fn list(&self) -> &[Json] {
        if let Json::List(l) = self { l } else { &[] }
    }

    pub fn is_null(&self) -> bool {
        *self == Json::Null
    }

    pub fn is_true(&self) -> bool {
        *self == Json::True
    }
}

impl Index<&str> for Json {
    type Output = Json;

    fn index(&self, name: &str) -> &Json {
        let members = if let Json::Object(members) = self { members.as_slice() } else { &[] };
        members.iter().find(|(n, _)| n == name).map_or(&Json::Null, |(_, v)| v)
    }
}

/// Reads values one after the other. <https://www.rfc-editor.org/rfc/rfc8259>
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn mistake(&self, what: &str) -> String {
        format!("no JSON: {what}, at byte {}", self.at)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Reads a word if it is there, blanks before it included.
    fn takes(&mut self, word: &str) -> bool {
        self.blank();
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth == 0 {
            return Err(self.mistake("it is too deep"));
        }
        for (word, value) in [("null", Json::Null), ("true", Json::True), ("false", Json::False)] {
            if self.takes(word) {
                return Ok(value);
            }
        }
        match self.rest().bytes().next() {
            Some(b'{') => self.several('}', |r| Ok((r.name()?, r.value(depth - 1)?))).map(Json::Object),
            Some(b'[') => self.several(']', |r| r.value(depth - 1)).map(Json::List),
            Some(b'"') => self.string().map(Json::Text),
            _ => self.number(),
        }
    }

    /// Reads what stands between commas, from a bracket to the one that closes it.
    fn several<T>(&mut self, close: char, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut list = Vec::new();
        let close = close.to_string();
        self.at += 1;
        if self.takes(&close) {
            return Ok(list);
        }
        loop {
            list.push(one(self)?);
            if self.takes(&close) {
                return Ok(list);
            }
            if !self.takes(",") {
                return Err(self.mistake("a comma is missing"));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        self.blank();
        let name = self.string()?;
        match self.takes(":") {
            true => Ok(name),
            false => Err(self.mistake("a colon is missing")),
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !"+-.0123456789eE".contains(c)).unwrap_or(rest.len());
        let number = rest[..end].parse().map_err(|_| self.mistake("a value is missing"))?;
        self.at += end;
        Ok(Json::Number(number))
    }

    fn string(&mut self) -> Result<String, String> {
        if !self.rest().starts_with('"') {
            return Err(self.mistake("a string is missing"));
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            let end = self.rest().find(['"', '\\']).ok_or_else(|| self.mistake("a string does not end"))?;
            text.push_str(&self.text[self.at..self.at + end]);
            self.at += end + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Ok(text);
            }
            text.push(self.escaped()?);
        }
    }

    /// Reads the character that an escape stands for, after its backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let letter = self.rest().chars().next().unwrap_or(' ');
        self.at += letter.len_utf8().min(self.rest().len());
        Ok(match letter {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '"' | '\\' | '/' => letter,
            'u' => self.unicode()?,
            _ => return Err(self.mistake("there is no such escape")),
        })
    }

    /// Reads the character of a `\u`; a half of a pair alone is U+FFFD.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        let before = self.at;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(..4).unwrap_or("").to_string();
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.mistake("four digits are missing"));
        }
        self.at += 4;
        u32::from_str_radix(&digits, 16).map_err(|e| self.mistake(&e.to_string()))
    }
}
