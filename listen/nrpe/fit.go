package nrpe

import (
	"strings"
	"unicode/utf8"

	"github.com/wasmagent/wasmagent/check"
)

// ellipsis stands for text that was cut off.
const ellipsis = "..."

// fit writes a result as the output of a plugin, in at most limit bytes. What there
// is no room for is left out from the end: of the long text first, then items of
// performance data, then of the text. No output at all is the name of the state,
// because check_nrpe takes that for an error.
func fit(r check.Result, limit int) string {
	if r.Text == "" && len(r.Perf) == 0 && r.Long == "" {
		r.Text = r.State.String()
	}
	whole := check.Encode(r)
	if len(whole) <= limit {
		return whole
	}
	text := check.Encode(check.Result{Text: r.Text})
	if len(text) > limit {
		return cut(text, limit)
	}
	data, all := perfdata(r.Perf, limit-len(text))
	if !all || r.Long == "" {
		return text + data
	}
	return text + data + cut(check.Encode(check.Result{Long: r.Long}), limit-len(text)-len(data))
}

// perfdata writes the items that there is room for, with their bar, and tells
// whether they are all.
func perfdata(items []check.Perf, room int) (data string, all bool) {
	var b strings.Builder
	before := "|"
	for _, p := range items {
		item := before + p.String()
		if b.Len()+len(item) > room {
			return b.String(), false
		}
		b.WriteString(item)
		before = " "
	}
	return b.String(), true
}

// cut shortens a text to at most limit bytes, between characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	if end <= 0 {
		return ""
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
