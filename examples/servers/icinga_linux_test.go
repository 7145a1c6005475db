package servers_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/internal/needs"
)

// moreIcinga defines services in each state that is no good, and how the test asks.
const moreIcinga = `
for (state in [ "warning", "critical", "unknown" ]) {
  object Service "nrpe " + state use (state) {
    host_name = "agent"
    check_command = "nrpe"
    check_interval = 1s
    vars.nrpe_command = "check_" + state
    vars.nrpe_arguments = [ "one two" ]
  }
  object Service "rest " + state use (state) {
    host_name = "agent"
    check_command = "nscp_api"
    check_interval = 1s
    vars.nscp_api_port = %s
    vars.nscp_api_password = "%s"
    vars.nscp_api_query = "check_" + state
    vars.nscp_api_arguments = [ "one two" ]
  }
}
object ApiListener "api" {
  bind_host = "127.0.0.1"
  bind_port = "%s"
}
object ApiUser "root" {
  password = "secret"
  permissions = [ "*" ]
}
`

// followIcinga starts Icinga with Debian's own configuration, the file of the page and
// some more services, and asks its API.
func followIcinga(t *testing.T, p page, a agent) {
	t.Parallel()
	binary := needs.Program(t, "/usr/sbin/icinga2")
	needs.Program(t, "/usr/lib/nagios/plugins/check_nrpe")
	h := newHome(t)
	h.copy(t, "/etc/icinga2", "etc")
	if err := os.Remove(filepath.Join(h.dir, "etc/conf.d/hosts.conf")); err != nil {
		t.Fatal(err)
	}
	api := freePort(t)
	h.write(t, "etc/conf.d/wasmagent.conf", p.file(t, "/etc/icinga2/conf.d/wasmagent.conf",
		"5666", a.ports["nrpe"], "8443", a.ports["rest"], "PASSWORD", password, "1m", "1s"))
	h.write(t, "etc/conf.d/more.conf", fmt.Sprintf(moreIcinga, a.ports["rest"], password, api))
	arguments := []string{"-DNodeName=localhost", "-DConfigDir=" + filepath.Join(h.dir, "etc")}
	for name, directory := range map[string]string{"DataDir": "data", "LogDir": "log", "CacheDir": "cache", "InitRunDir": "run", "SpoolDir": "spool"} {
		arguments = append(arguments, "-D"+name+"="+h.directory(t, directory))
	}
	writeCertificates(t, h)
	command := append([]string{binary, "daemon", "-x", "warning", "-c", filepath.Join(h.dir, "etc/icinga2.conf")}, arguments...)
	if h.credential == nil {
		command = append(command, "-DRunAsUser="+os.Getenv("USER"), "-DRunAsGroup="+os.Getenv("USER"))
	}
	s := h.start(t, "icinga", command...)
	for service, want := range wishes {
		if service == "uptime by REST" {
			continue // the memory is asked for by REST here
		}
		until(t, s, func() (string, bool) {
			got, err := icingaStatus("https://127.0.0.1:" + api + "/v1/objects/services/agent!" + strings.ReplaceAll(service, " ", "%20"))
			return fmt.Sprintf("Icinga says of %s %+v (%v), want %+v", service, got, err, want), err == nil && want.granted(got)
		})
	}
	until(t, s, func() (string, bool) {
		got, err := icingaStatus("https://127.0.0.1:" + api + "/v1/objects/hosts/agent")
		return fmt.Sprintf("Icinga says of the host %+v (%v)", got, err), err == nil && got.state == "0" && got.output == "OK: it answers"
	})
}

// freePort is a port that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// icingaStatus asks the API for the last result of an object.
func icingaStatus(url string) (verdict, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return verdict{}, err
	}
	request.SetBasicAuth("root", "secret")
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	response, err := client.Do(request)
	if err != nil {
		return verdict{}, err
	}
	defer response.Body.Close()
	var answer struct {
		Results []struct {
			Attrs struct {
				State  float64 `json:"state"`
				Result *struct {
					Output string            `json:"output"`
					Perf   []json.RawMessage `json:"performance_data"`
				} `json:"last_check_result"`
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return verdict{}, err
	}
	if len(answer.Results) != 1 || answer.Results[0].Attrs.Result == nil {
		return verdict{}, errors.New("it has not been checked")
	}
	attrs := answer.Results[0].Attrs
	var perf []string
	for _, item := range attrs.Result.Perf {
		var text string
		if err := json.Unmarshal(item, &text); err != nil {
			return verdict{}, err
		}
		perf = append(perf, text)
	}
	return verdict{fmt.Sprint(attrs.State), attrs.Result.Output, strings.Join(perf, " ")}, nil
}

// writeCertificates writes what Icinga's API needs, as "icinga2 api setup" does.
func writeCertificates(t *testing.T, h home) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	h.write(t, "data/certs/localhost.crt", text)
	h.write(t, "data/certs/ca.crt", text)
	h.write(t, "data/certs/localhost.key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
}
