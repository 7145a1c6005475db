package rest

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (a *api) logRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/logs", answer: a.listLogs},
		{verb: "DELETE", pattern: "/api/{version}/logs", kind: changes, answer: a.clearLogs},
		{verb: "GET", pattern: "/api/{version}/logs/since", answer: a.logsSince},
		{verb: "GET", pattern: "/api/{version}/logs/status", answer: a.logStatus},
		{verb: "DELETE", pattern: "/api/{version}/logs/status", kind: changes, answer: a.resetLogStatus},
	}
}

// dateLayout is how NSClient++ writes dates: in local time.
const dateLayout = "2006-Jan-02 15:04:05"

type logJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Level   string `json:"level"`
	Date    string `json:"date"`
	Message string `json:"message"`
}

func (r logRecord) json() logJSON {
	return logJSON{r.file, r.line, r.levelName(), r.time.Local().Format(dateLayout), r.message}
}

func (r logRecord) levelName() string {
	switch {
	case r.level >= slog.LevelError:
		return "error"
	case r.level >= slog.LevelWarn:
		return "warning"
	case r.level >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

// listLogs answers with one page of the records, the oldest first.
func (a *api) listLogs(q *request) http.Handler {
	return a.logPage(q, func(logRecord) bool { return true }, nil)
}

// logsSince answers with one page of the records after the index "since". The
// header X-Log-Index is the index to go on from.
func (a *api) logsSince(q *request) http.Handler {
	since, err := strconv.ParseUint(cmp.Or(q.URL.Query().Get("since"), "0"), 10, 64)
	if err != nil {
		return problem(http.StatusBadRequest, "since %q: want a number, the X-Log-Index of an earlier answer", q.URL.Query().Get("since"))
	}
	return a.logPage(q, func(r logRecord) bool { return r.index > since }, &since)
}

func (a *api) logPage(q *request, wanted func(logRecord) bool, since *uint64) http.Handler {
	p, err := pageOf(q.URL.Query())
	if err != nil {
		return problem(http.StatusBadRequest, "%v", err)
	}
	levels := strings.FieldsFunc(q.URL.Query().Get("level"), func(r rune) bool { return r == ',' })
	records := a.Logs.list(func(r logRecord) bool {
		return wanted(r) && (len(levels) == 0 || slices.Contains(levels, r.levelName()))
	})
	list := []logJSON{}
	shown := p.cut(records)
	for _, r := range shown {
		list = append(list, r.json())
	}
	answer := with(document(http.StatusOK, list), p.headers(q, len(records))...)
	if since == nil {
		return answer
	}
	index := *since
	if len(shown) > 0 {
		index = shown[len(shown)-1].index
	}
	return with(answer, "X-Log-Index", strconv.FormatUint(index, 10))
}

// A page is one of equally long parts of a list, counted from 1.
type page struct{ number, size int }

func pageOf(query url.Values) (p page, err error) {
	for _, v := range []struct {
		name          string
		value         *int
		def, min, max int
	}{{"page", &p.number, 1, 1, 1 << 20}, {"per_page", &p.size, 10, 2, 500}} {
		text := cmp.Or(query.Get(v.name), strconv.Itoa(v.def))
		if *v.value, err = strconv.Atoi(text); err != nil || *v.value < v.min || *v.value > v.max {
			return p, fmt.Errorf("%s %q: want a number from %d to %d", v.name, text, v.min, v.max)
		}
	}
	return p, nil
}

func (p page) cut(records []logRecord) []logRecord {
	from := min((p.number-1)*p.size, len(records))
	return records[from:min(from+p.size, len(records))]
}

// headers are those by which clients turn pages.
func (p page) headers(q *request, count int) []string {
	last := max(1, (count+p.size-1)/p.size)
	to := func(number int, rel string) string {
		query := q.URL.Query()
		query.Set("page", strconv.Itoa(number))
		return fmt.Sprintf("<%s%s?%s>; rel=%q", q.host(), q.path, query.Encode(), rel)
	}
	link := to(last, "last")
	if p.number < last {
		link = to(p.number+1, "next") + ", " + link
	}
	return []string{
		"Link", link,
		"X-Pagination-Count", strconv.Itoa(count),
		"X-Pagination-Page", strconv.Itoa(p.number),
		"X-Pagination-Limit", strconv.Itoa(p.size),
	}
}

func (a *api) clearLogs(q *request) http.Handler {
	a.Logs.reset(true)
	a.audit(q, Action{Name: "clear logs"})
	return document(http.StatusOK, map[string]int{"count": 0})
}

func (a *api) logStatus(*request) http.Handler {
	errors, last := a.Logs.status()
	return document(http.StatusOK, logStatusJSON{errors, last})
}

func (a *api) resetLogStatus(q *request) http.Handler {
	a.Logs.reset(false)
	a.audit(q, Action{Name: "reset log status"})
	return document(http.StatusOK, logStatusJSON{})
}

type logStatusJSON struct {
	Errors    int    `json:"errors"`
	LastError string `json:"last_error"`
}
