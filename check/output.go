package check

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Decode reads a plugin's output and its exit status.
//
// The format is that of the Monitoring Plugins: the first line is Text up to a
// "|" and performance data after it; the following lines are Long, until one
// of them has a "|": what follows that is performance data to the end.
// https://www.monitoring-plugins.org/doc/guidelines.html#PLUGOUTPUT
//
// Decode takes what plugins really print, and loses none of its words:
//   - More than one "|" on a line separate parts that are each read as
//     performance data; within a label in quotes a "|" is part of the label.
//   - What follows a "|" and is not performance data stays in the text of its
//     line, after a broken bar "¦": "proc a|b died" becomes "proc a¦b died", and
//     no text of the Result holds a "|". An item is taken whole or not at all.
//   - An item may end in semicolons, and its thresholds may repeat its unit.
//   - Lines end in LF, CRLF or CR. Invalid UTF-8 and NUL become U+FFFD. Blanks at
//     the ends of lines, blank lines at the ends of Text and Long, and byte order
//     marks there are dropped. If the first line has no text of its own, Text is
//     the next that has.
//
// An output that holds nothing but blanks and bars, and an exit status outside
// of 0-3, are UNKNOWN, and Text begins with the reason. Usage is zero. Work and
// memory are proportional to the size of the output, which the caller bounds.
func Decode(output []byte, status int64) Result {
	var lines outputLines
	for line := range strings.SplitSeq(strings.TrimFunc(clean(string(output)), isBlank), "\n") {
		lines.add(line)
	}
	text, long, _ := strings.Cut(strings.Trim(strings.Join(lines.text, "\n"), "\n"), "\n")
	r := Result{
		Text: strings.TrimFunc(text, isBlank),
		Long: strings.Trim(long, "\n"),
		Perf: lines.perf,
	}
	r.State, r.Text = judge(status, r)
	return r
}

// judge finds the state that a status and an output stand for, and puts the
// reason before the text if they stand for none.
func judge(status int64, r Result) (State, string) {
	state, ok := StateOf(status)
	silent := r.Text == "" && len(r.Perf) == 0
	switch {
	case ok && !silent:
		return state, r.Text
	case silent:
		return StateUnknown, fmt.Sprintf("no output, exit status %d", status)
	case r.Text == "":
		return StateUnknown, fmt.Sprintf("exit status %d is none of 0 to 3", status)
	}
	return StateUnknown, fmt.Sprintf("exit status %d is none of 0 to 3: %s", status, r.Text)
}

// outputLines are the lines of an output as far as it has been read.
type outputLines struct {
	text []string
	perf []Perf
	tail bool // a line after the first had a "|": the rest is performance data
}

func (o *outputLines) add(line string) {
	text, data, bar := strings.Cut(line, "|")
	if o.tail {
		text, data, bar = "", line, true
	}
	var rest string
	if o.perf, rest = splitPerf(o.perf, data); strings.TrimLeftFunc(rest, isBlank) != "" {
		text = breakBars(text + "|" + rest)
	}
	text = strings.TrimRightFunc(text, isBlank)
	o.tail = o.tail || bar && len(o.text) > 0
	if !bar || text != "" || len(o.text) == 0 {
		o.text = append(o.text, text)
	}
}

// splitPerf takes the items out of data, adds them to others, and returns the rest,
// bars included.
func splitPerf(items []Perf, data string) (_ []Perf, rest string) {
	var b strings.Builder
	for data != "" {
		word := data[:wordLength(data)]
		data = data[len(word):]
		if p, ok := parsePerf(word); ok {
			items = append(items, p)
			data = strings.TrimLeftFunc(data, isBlank)
			continue
		}
		b.WriteString(word)
	}
	return items, b.String()
}

// wordLength is the length of what data begins with: either what separates
// items, or what can be one, which ends where a separator follows its label.
func wordLength(data string) int {
	label := quotedLength(data)
	inWord := label > 0 || strings.IndexFunc(data, isSeparator) != 0
	end := strings.IndexFunc(data[label:], func(r rune) bool { return isSeparator(r) == inWord })
	if end < 0 {
		return len(data)
	}
	return label + end
}

// breakBars puts a broken bar between the parts of a line that bars separate,
// and drops the blank ones.
func breakBars(s string) string {
	parts := slices.DeleteFunc(strings.Split(s, "|"), func(part string) bool { return strings.TrimFunc(part, isBlank) == "" })
	return strings.Join(parts, "¦")
}

// Encode writes a Result as the output of a plugin, without a newline at its
// end: the text, a "|" and the performance data if there is any, and the long
// text on the following lines. Decode reads what it wrote, with the exit
// status of the Result's state, as the same Result.
//
// A text that was not decoded may hold anything: a "|" in it becomes a broken
// bar "¦", a line end in Text or in a label a blank, and invalid UTF-8 and NUL
// U+FFFD.
func Encode(r Result) string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(singleLine(r.Text), "|", "¦"))
	for i, p := range r.Perf {
		b.WriteByte("| "[min(i, 1)])
		b.WriteString(p.String())
	}
	if r.Long != "" {
		b.WriteString("\n" + strings.ReplaceAll(clean(r.Long), "|", "¦"))
	}
	return b.String()
}

var replacer = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD")

// clean makes s valid UTF-8 without NUL, its lines separated by LF.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, '\r') < 0 && strings.IndexByte(s, 0) < 0 {
		return s // which a Replacer copies
	}
	return replacer.Replace(s)
}

func singleLine(s string) string { return strings.ReplaceAll(clean(s), "\n", " ") }

// isBlank is true of white space and of the byte order mark, which Windows
// programs print first.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' }

func isSeparator(r rune) bool { return r == '|' || isBlank(r) }
