//go:build linux

package requests

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// rest is a client that asks again and again on one connection of HTTP/1.1 in TLS, and
// closes it with leave.
func (a *agent) rest(command string) (ask func() error, leave func()) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.certificate.pool}, MaxIdleConnsPerHost: 1}
	client := &http.Client{Transport: transport, Timeout: askTime}
	request, err := http.NewRequest(http.MethodGet, "https://"+a.restAddress+"/api/v2/queries/"+command+"/commands/execute", nil)
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	return func() error {
		if err != nil {
			return err
		}
		r, err := client.Do(request)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		return executed(r)
	}, transport.CloseIdleConnections
}

// executed reads the answer of a command.
func executed(r *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		return err
	}
	var answer struct {
		Result int
		Lines  []struct{ Message string }
	}
	if err := json.Unmarshal(body, &answer); err != nil || r.StatusCode != http.StatusOK || len(answer.Lines) != 1 {
		return fmt.Errorf("the answer is %s %.200s", r.Status, body)
	}
	return isOK(answer.Result, answer.Lines[0].Message)
}
