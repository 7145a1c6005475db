package rest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/wasmagent/wasmagent/access"
)

// identity is that of a user.
func (g *agentry) identity(t testing.TB, user string) access.Identity {
	t.Helper()
	who, err := g.Users.Authenticate(t.Context(), access.Credentials{Token: user + "-token"})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newAgentry().serve(t)
	for _, path := range []string{"/api/v1/login", "/api/v2/login/", "/auth/token"} {
		for _, verb := range []string{"GET", "POST"} {
			a := ask(t, s, "", verb, path, "", "Authorization", "Basic YWRtaW46YWRtaW4=")
			var got map[string]string
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK {
				t.Fatalf("%s %s: %d %s %v", verb, path, a.status, a.body, err)
			}
			key := got["key"] + got["auth token"]
			if len(key) != 32 || got["user"] != "admin" && got["status"] != "ok" {
				t.Errorf("%s %s: %s", verb, path, a.body)
			}
			again := ask(t, s, "", "GET", "/api/v2/login", "", "TOKEN", key)
			if want := `{"key":"` + key + `","user":"admin"}` + "\n"; again.body != want {
				t.Errorf("with the token: %s, want %s", again.body, want)
			}
			if a := ask(t, s, "", "DELETE", "/api/v2/login", "", "TOKEN", key); a.body != `{"status":"ok"}`+"\n" {
				t.Errorf("logout: %d %s", a.status, a.body)
			}
			if a := ask(t, s, "", "GET", "/api/v2/login", "", "TOKEN", key); a.status != http.StatusUnauthorized {
				t.Errorf("after logout: %d %s", a.status, a.body)
			}
		}
	}
}
