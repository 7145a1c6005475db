package report

import "testing"

func TestReplaced(t *testing.T) {
	t.Parallel()
	section := "## Requests\n\nnew\n"
	for _, row := range []struct{ document, want string }{
		{"# A\n\n## Requests\n\nold\n\n## Other\n\nthat\n", "# A\n\n## Requests\n\nnew\n\n## Other\n\nthat\n"},
		{"# A\n\n## Requests\n\nold\n", "# A\n\n## Requests\n\nnew\n"},
		{"## Requests\n", "## Requests\n\nnew\n"},
	} {
		got, err := replaced(row.document, section)
		if err != nil || got != row.want {
			t.Errorf("%q: %q, %v; want %q", row.document, got, err, row.want)
		}
		if again, err := replaced(got, section); err != nil || again != got {
			t.Errorf("%q, again: %q, %v", got, again, err)
		}
	}
	if _, err := replaced("# A\n\n### Requests\n", section); err == nil {
		t.Error("a section was replaced that is not there")
	}
}
