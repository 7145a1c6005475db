package rest

import (
	_ "embed"
	"net/http"
)

// openAPI describes the API. https://spec.openapis.org/oas/v3.1.1.html
//
//go:embed openapi.json
var openAPI []byte

func (a *api) openapi(*request) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, typeJSON, openAPI) })
}
