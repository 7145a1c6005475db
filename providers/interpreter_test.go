package providers

import (
	"strings"
	"testing"
)

func TestCheckCmd(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"", "a b", `C:\Program Files\x`, "drive=C:", "-w", "/?", "5:10", "a,b;c", "50", "é", "'x'", "$x", "*.txt", "[a]{b}~#@"} {
		if err := checkCmd([]string{arg}); err != nil {
			t.Errorf("%q: %v", arg, err)
		}
	}
	for _, arg := range []string{"a&calc", "a|b", ">x", "<x", "^", `a" & calc "`, "%PATH%", "50%", "!x!", "(x)", "`x`", "a\nb", "a\r", "\t", "\x1a", "\x7f"} {
		if err := checkCmd([]string{"good", arg}); err == nil {
			t.Errorf("%q: is taken", arg)
		}
	}
}

func FuzzCheckCmd(f *testing.F) {
	f.Add(`a b`)
	f.Add(`" & calc & "`)
	f.Fuzz(func(t *testing.T, arg string) {
		if checkCmd([]string{arg}) != nil {
			return
		}
		line := cmdLine("cmd.exe", "x.bat", []string{arg, "end"})
		if strings.Count(line, `"`) != 10 || strings.ContainsAny(line, "%!^&|<>\n\r") {
			t.Errorf("%q becomes %q", arg, line)
		}
	})
}

func TestCmdLine(t *testing.T) {
	t.Parallel()
	got := cmdLine(`C:\Windows\System32\cmd.exe`, `s\check_ok.bat`, []string{"Test Test", ""})
	want := `"C:\Windows\System32\cmd.exe" /d /v:off /s /c ""s\check_ok.bat" "Test Test" """`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCheckScriptHost(t *testing.T) {
	t.Parallel()
	if err := checkScriptHost([]string{"/x", "a//b", "http://x", ""}); err != nil {
		t.Error(err)
	}
	if err := checkScriptHost([]string{"a", "//E:jscript"}); err == nil {
		t.Error("an option of cscript is taken")
	}
}

func FuzzShebang(f *testing.F) {
	for _, line := range []string{"", "#!", "#!/bin/sh", "#!/usr/bin/env -S a b\n", "#!/usr/bin/env", "#!/usr/bin/env -S", "#! / ", "#!..", "#!a/../b", "#!/bin/a*b"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		i, ok, err := shebang(content)
		if !ok || err != nil {
			return
		}
		if len(i.programs) != 1 || i.programs[0] != i.name || strings.ContainsAny(i.name, "/\\*?[{ ") || i.name == "" || i.name == ".." {
			t.Errorf("%q names %+v", content, i)
		}
	})
}
