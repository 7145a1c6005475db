package migrate_test

import (
	"archive/zip"
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/migrate"
	"github.com/wasmagent/wasmagent/zipmod"
)

var update = flag.Bool("update", false, "write testdata/*/want.txtar")

// builtin are some of the commands of the built-in modules.
func builtin(module string) []string {
	if module == config.CheckSystem {
		return []string{"check_cpu", "check_memory", "check_uptime", "check_drivesize"}
	}
	return []string{"check_ok"}
}

// TestGolden reads files as they are in the field, and holds what is made of them
// against testdata/*/want.txtar.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nrpe/nrpe.cfg", "nsclient/nsclient.ini", "snclient/snclient.ini"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := filepath.Abs(filepath.Join("testdata", filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			m, err := migrate.Read(file, builtin)
			if err != nil {
				t.Fatal(err)
			}
			loads(t, m)
			got := archive(m, filepath.Dir(file))
			golden := filepath.Join(filepath.Dir(file), "want.txtar")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
				t.Errorf("it is not what testdata has; run: go test ./cmd/wasmagent/internal/migrate -update, and look at the difference\n%s", got)
			}
		})
	}
}

// archive is all of a Migration, with the directory dir written as DIR.
func archive(m migrate.Migration, dir string) []byte {
	var a txtar.Archive
	add := func(name, text string) {
		text = strings.ReplaceAll(strings.ReplaceAll(text, dir, "DIR"), strings.ReplaceAll(dir, `\`, `\\`), "DIR")
		text = strings.ReplaceAll(text, "\r\n", "\n")
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	add("config.toml", m.Config)
	for _, name := range slices.Sorted(maps.Keys(m.Module)) {
		add(name, m.Module[name])
	}
	return txtar.Format(&a)
}

// loads fails the test unless config.toml and the module can be loaded.
func loads(t *testing.T, m migrate.Migration) {
	t.Helper()
	name, err := filepath.Abs("config.toml")
	if err == nil {
		_, err = config.Parse(name, m.Config)
	}
	if err != nil {
		t.Errorf("config.toml: %v\n%s", err, m.Config)
	}
	if len(m.Module) == 0 {
		return
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range m.Module {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := zipmod.Read(migrate.ModuleName, b.Bytes(), zipmod.Options{}); err != nil {
		t.Errorf("the module: %v\n%q", err, m.Module)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, row := range []struct{ name, text, want string }{
		{"empty.cfg", "# nothing\n", "this is no nsclient.ini and no nrpe.cfg"},
		{"prose.cfg", "Dear agent,\n", "this is no nsclient.ini and no nrpe.cfg"},
		{"wide.ini", "\xff\xfe[\x00", "it is in UTF-16; save it as UTF-8"},
		{"binary.cfg", "a=\x00", "this is no text"},
		{"large.cfg", strings.Repeat("a=b\n", 1<<18) + "c", "larger than 1048576 bytes"},
		{"many.ini", "[/modules]\n" + strings.Repeat("a=b\n", 4097), "this has more than 4096 settings"},
	} {
		file := filepath.Join(dir, row.name)
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := migrate.Read(file, builtin); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
	for _, name := range []string{dir, filepath.Join(dir, "none.cfg")} {
		if _, err := migrate.Read(name, builtin); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// TestLongName reads a file of the longest name that there can be.
func TestLongName(t *testing.T) {
	t.Parallel()
	name := "/" + strings.Repeat("n", 251) + ".cfg"
	m, _, err := migrate.ReadFrom(map[string]string{name: "command[x]=y\n"}, name, builtin)
	if err != nil {
		t.Fatal(err)
	}
	loads(t, m)
}

// seeds are texts that are hard to read.
var seeds = []string{
	"", "[", "=", "[]\n=x", "\ufeff[/modules]\r\nNRPEServer=1\r\n", "# c\n; c\n[a]\nb",
	"command[a]=/bin/x $ARG1$ '$ARG2$' \"$ARG3$\" $$ `date` $(x) \\'\\\ncommand[con]=x\ncommand[a.]=y\ncommand[~1]=z\n",
	"include=/main\ninclude_dir=/\n", "include=other\n", "server_port=0\nserver_address=x\nallowed_hosts=*,**,1.*,1.2.3.4/33,::/255.0.0.0,a b\n",
	"command_timeout=999999999999\nmax_commands=-1\nssl_client_certs=2\nssl_cert_file=x\n",
	"[/modules]\nCheckExternalScripts=1\nScheduler=1\nWEBServer=1\nPrometheusServer=1\nCheckSystem=x.zip\n[/settings/default]\nport=5666\n" +
		"[/settings/WEB/server]\nport=5666\n[/settings/Prometheus/server]\nport=5666s\nbind to=::1\n" +
		"[/settings/external scripts/scripts]\na=scripts\\a.bat\nb=/x \"\nc=\nx/y=z\n[/settings/external scripts/alias]\na=b\nA=c\n[/settings/scheduler/schedules]\n é=x\n",
	"[/paths]\na=${b}${b}\nb=${a}${a}\n[/x]\nc=${a}\nd=${/x/c}${/x/d}\n",
	"[/includes]\na=*\nb=../*\nc=/main\n",
	"[/settings/system/windows/counters]\nx=\\A(b)\\c \"\n\\=y\n[/settings/system/windows/counters/]\ncounter=z\n",
}

// FuzzRead reads any text as a configuration, which another one lies beside: what
// is made of it loads, and every key is accounted for.
func FuzzRead(f *testing.F) {
	for i, seed := range seeds {
		f.Add(seed, seeds[(i+3)%len(seeds)])
	}
	for _, name := range []string{"nrpe/nrpe.cfg", "nsclient/nsclient.ini", "snclient/snclient.ini"} {
		text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "")
	}
	f.Fuzz(func(t *testing.T, main, other string) {
		m, lost, err := migrate.ReadFrom(map[string]string{"/main": main, "/other": other}, "/main", builtin)
		if err != nil {
			return
		}
		if len(lost) > 0 {
			t.Errorf("nothing is said of %q", lost)
		}
		loads(t, m)
	})
}
