package rest

import (
	"net/http"
	"strconv"

	"github.com/wasmagent/wasmagent/check"
)

func (a *api) eventRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/events", answer: a.events},
		{verb: "DELETE", pattern: "/api/{version}/events", kind: acts, answer: a.takeEvents},
	}
}

// events answers with the list of the kept events or, to whom accepts that, with
// each event as it happens.
func (a *api) events(q *request) http.Handler {
	if wanted := accepts(q.Header, typeJSON, string(sse), string(ndjson)); wanted != typeJSON {
		return a.stream(q, format(wanted))
	}
	return document(http.StatusOK, eventList(a.Events.list(false)))
}

// takeEvents answers with the list and empties it. Who reads along loses nothing.
func (a *api) takeEvents(q *request) http.Handler {
	return document(http.StatusOK, eventList(a.Events.list(true)))
}

// eventJSON is an event as NSClient++ lists it; all values of data are text.
type eventJSON struct {
	Index uint64            `json:"index"`
	Event string            `json:"event"`
	Date  string            `json:"date"`
	Data  map[string]string `json:"data"`
}

func eventList(events []check.Event) []eventJSON {
	list := []eventJSON{}
	for _, e := range events {
		list = append(list, eventJSON{e.Number, eventName(e), e.Time.Local().Format(dateLayout), eventData(e)})
	}
	return list
}

func eventName(e check.Event) string {
	if e.StateChange() {
		return "state_change"
	}
	return "result"
}

func eventData(e check.Event) map[string]string {
	data := map[string]string{
		"command": e.Request.Command, "module": e.Module, "origin": string(e.Request.Origin),
		"state": e.Result.State.String(), "text": e.Result.Text,
	}
	if s := e.Standing; s != nil {
		data["check"], data["hard_state"], data["attempt"] = s.Check, s.HardState.String(), strconv.Itoa(s.Attempt)
	}
	return data
}
