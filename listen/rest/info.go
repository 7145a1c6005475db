package rest

import "net/http"

func (a *api) infoRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/", kind: public, answer: a.alive},
		{verb: "GET", pattern: "/core/isalive", kind: public, answer: a.alive},
		{verb: "GET", pattern: "/api", answer: a.versions},
		{verb: "GET", pattern: "/api/openapi.json", kind: public, answer: a.openapi},
		{verb: "GET", pattern: "/api/{version}", answer: a.index},
		{verb: "GET", pattern: "/api/{version}/info", answer: a.info},
		{verb: "GET", pattern: "/api/{version}/info/version", answer: a.version},
		{verb: "GET", pattern: "/api/v2/metrics", answer: a.metrics},
		{verb: "GET", pattern: "/api/v2/openmetrics", answer: func(*request) http.Handler { return a.OpenMetrics }},
		{verb: "POST", pattern: "/api/{version}/reload", kind: changes, answer: a.reload},
		{verb: "POST", pattern: "/core/reload", kind: changes, answer: a.reload},
	}
}

// alive answers whoever asks whether the agent is up. check_nsc_web asks for "/".
func (a *api) alive(*request) http.Handler {
	return document(http.StatusOK, map[string]string{"status": "ok"})
}

func (a *api) versions(q *request) http.Handler {
	return document(http.StatusOK, map[string]string{
		"current_api": q.host() + "/api/v2",
		"legacy_api":  q.host() + "/api/v1",
		"beta_api":    q.host() + "/api/v2",
		"openapi_url": q.host() + "/api/openapi.json",
	})
}

func (a *api) index(q *request) http.Handler {
	urls := make(map[string]string)
	for _, name := range []string{"scripts", "modules", "queries", "aliases", "schedule", "settings", "logs", "info", "events", "login", "reload"} {
		urls[name+"_url"] = q.url(name)
	}
	if !q.v1() {
		urls["metrics_url"], urls["openmetrics_url"] = q.url("metrics"), q.url("openmetrics")
	}
	return document(http.StatusOK, urls)
}

func (a *api) info(q *request) http.Handler {
	return document(http.StatusOK, map[string]string{
		"name": "wasmagent", "version": a.Version, "version_url": q.url("info", "version"),
	})
}

func (a *api) version(*request) http.Handler {
	return document(http.StatusOK, map[string]string{"version": a.Version})
}

func (a *api) metrics(*request) http.Handler {
	figures, err := a.Metrics()
	if err != nil {
		return problem(http.StatusInternalServerError, "metrics: %v", err)
	}
	values := make(map[string]value, len(figures))
	for name, v := range figures {
		values[name] = value(v)
	}
	return document(http.StatusOK, values)
}

func (a *api) reload(q *request) http.Handler { return a.reloaded(q, "reload") }

// reloaded reads the configuration again, and answers with a status if that is right.
func (a *api) reloaded(q *request, status string) http.Handler {
	err := a.Reload(q.Context())
	a.audit(q, Action{Name: "reload", Err: err})
	if err != nil {
		return problem(statusOf(err), "reload: %v", err)
	}
	return document(http.StatusOK, map[string]string{"status": status})
}
