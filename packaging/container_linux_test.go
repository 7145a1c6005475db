package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
)

// TestContainer builds the image and runs the agent in it, as the user of the image
// and with nothing else there.
func TestContainer(t *testing.T) {
	needTools(t, "buildah")
	store := filepath.Join(t.TempDir(), "store")
	buildah := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "buildah", append([]string{"--storage-driver", "vfs", "--root", store, "--runroot", store + "-run"}, args...)...)
		var problems strings.Builder
		command.Stderr = &problems
		out, err := command.Output()
		if err != nil {
			t.Fatalf("buildah %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.String())
		}
		return strings.TrimSpace(string(out))
	}
	containerfile, err := filepath.Abs(filepath.Join("..", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	buildah("build", "--isolation", "chroot", "--build-arg", "VERSION=1.0.0", "--build-arg", "TARGETARCH="+goruntime.GOARCH, "--tag", "wasmagent", "--file", containerfile, filepath.Join(built(t), "1.0.0"))
	container := buildah("from", "--pull-never", "wasmagent")
	root := buildah("mount", container)
	t.Cleanup(func() {
		_ = exec.Command("buildah", "--storage-driver", "vfs", "--root", store, "--runroot", store+"-run", "umount", container).Run()
	})
	for _, want := range []struct{ format, text string }{
		{"{{.OCIv1.Config.User}}", "65532:65532"},
		{"{{.OCIv1.Config.Entrypoint}}", "[/usr/bin/wasmagent --config /etc/wasmagent/config.toml]"},
		{"{{.OCIv1.Config.Cmd}}", "[serve]"},
	} {
		if got := buildah("inspect", "--format", want.format, container); got != want.text {
			t.Errorf("%s is %q, want %q", want.format, got, want.text)
		}
	}
	serveInside(t, root, strings.Fields(buildah("inspect", "--format", "{{range .OCIv1.Config.Env}}{{.}} {{end}}", container)))
}

// serveInside runs the agent with a directory as its root, and with no rights.
func serveInside(t *testing.T, root string, env []string) {
	t.Helper()
	agent := exec.CommandContext(t.Context(), "/usr/bin/wasmagent", "--config", "/etc/wasmagent/config.toml", "serve")
	agent.Err = nil // it was looked for outside of the root
	agent.Dir, agent.Env = "/", env
	agent.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}, Cloneflags: syscall.CLONE_NEWNET}
	stderr, err := agent.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Process.Kill() })
	var all []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		all = append(all, lines.Text())
		if strings.Contains(lines.Text(), "msg=ready") {
			if err := agent.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	if err := agent.Wait(); err != nil || !strings.Contains(strings.Join(all, "\n"), "msg=stopped") || strings.Contains(strings.Join(all, "\n"), "level=ERROR") {
		t.Errorf("the agent ended with %v and said\n%s", err, strings.Join(all, "\n"))
	}
}
