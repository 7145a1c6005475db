// check_certificates says how many days the certificates in this module's zip
// are still valid: those that an administrator rolls out with the check, such
// as the company's own authorities.
//
//	check_certificates [-w DAYS] [-c DAYS] [DIRECTORY]
//
// It needs no permission: a script always sees its own zip.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/wasmagent/wasmagent/guest/reactor" // each run begins after the initialisation
)

func main() {
	flags := flag.NewFlagSet("check_certificates", flag.ContinueOnError)
	flags.SetOutput(os.Stdout)
	warn := flags.Float64("w", 30, "WARNING when a certificate has fewer `days` left")
	crit := flags.Float64("c", 7, "CRITICAL when a certificate has fewer `days` left")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(3)
	}
	dir := "/certificates"
	if flags.NArg() > 0 {
		dir = flags.Arg(0)
	}
	status, text, perf, err := check(dir, *warn, *crit, time.Now())
	if err != nil {
		fmt.Println("CERTIFICATES UNKNOWN:", err)
		os.Exit(3)
	}
	fmt.Printf("CERTIFICATES %s: %s|%s\n", [...]string{"OK", "WARNING", "CRITICAL"}[status], text, perf)
	os.Exit(status)
}

func check(dir string, warn, crit float64, now time.Time) (status int, text, perf string, err error) {
	files, err := filepath.Glob(dir + "/*.pem")
	if err != nil {
		return 0, "", "", err
	}
	var texts, perfs []string
	for _, file := range files {
		cert, err := read(file)
		if err != nil {
			return 0, "", "", err
		}
		days := math.Floor(cert.NotAfter.Sub(now).Hours() / 24)
		name := cert.Subject.CommonName
		texts = append(texts, fmt.Sprintf("%s has %.0f days left", name, days))
		perfs = append(perfs, fmt.Sprintf("'%s'=%.0f;%g:;%g:", strings.ReplaceAll(name, "'", "''"), days, warn, crit))
		status = max(status, level(days, warn, crit))
	}
	if len(texts) == 0 {
		return 0, "", "", fmt.Errorf("no *.pem in %s: put the certificates to watch there", dir)
	}
	return status, strings.Join(texts, ", "), strings.Join(perfs, " "), nil
}

func level(days, warn, crit float64) int {
	switch {
	case days < crit:
		return 2
	case days < warn:
		return 1
	}
	return 0
}

func read(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return cert, nil
}
