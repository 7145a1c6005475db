package rest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wasmagent/wasmagent/listen/rest"
)

// BenchmarkExecute is what the API adds to a command, without the network.
func BenchmarkExecute(b *testing.B) {
	h := rest.New(newAgentry().Config)
	r := httptest.NewRequestWithContext(b.Context(), "GET", "/api/v2/queries/perf/commands/execute?warn=80%25&crit=90%25", nil)
	r.SetBasicAuth("admin", "admin")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}
