package rest

import "net/http"

// Routes are the verbs and the patterns of what New answers.
func Routes(c Config) [][2]string {
	var routes [][2]string
	for _, t := range New(c).(*api).routes {
		routes = append(routes, [2]string{t.verb, t.pattern})
	}
	return routes
}

// Spec is the OpenAPI document.
func Spec() []byte { return openAPI }

var _ http.Handler = (*api)(nil)
