package rest

import (
	"net/http"

	"github.com/wasmagent/wasmagent/access"
)

func (a *api) loginRoutes() []route {
	return []route{
		{verb: "GET", pattern: "/api/{version}/login", kind: acts, answer: a.login},
		{verb: "POST", pattern: "/api/{version}/login", kind: acts, answer: a.login},
		{verb: "DELETE", pattern: "/api/{version}/login", kind: acts, answer: a.logout},
		{verb: "GET", pattern: "/auth/token", kind: acts, answer: a.legacyToken},
		{verb: "POST", pattern: "/auth/token", kind: acts, answer: a.legacyToken},
	}
}

// login answers with a token of who asks.
func (a *api) login(q *request) http.Handler {
	return document(http.StatusOK, map[string]string{"user": q.who.User, "key": a.token(q)})
}

func (a *api) legacyToken(q *request) http.Handler {
	return document(http.StatusOK, map[string]string{"status": "ok", "auth token": a.token(q)})
}

// token is the one that the request came with, or else a new one.
func (a *api) token(q *request) string {
	if token := access.FromRequest(q.Request).Token; token != "" {
		return token
	}
	return a.Users.Mint(q.who)
}

// logout ends the session of the token that the request came with.
func (a *api) logout(q *request) http.Handler {
	a.Users.Revoke(access.FromRequest(q.Request).Token)
	return document(http.StatusOK, map[string]string{"status": "ok"})
}
