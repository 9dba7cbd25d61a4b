package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	old := "# Page\n" + pageBegins + "old numbers\n" + pageEnds + "the end\n"
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := made().page(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if !strings.HasPrefix(page, "# Page\n"+pageBegins) || !strings.HasSuffix(page, pageEnds+"the end\n") || strings.Contains(page, "old numbers") {
		t.Errorf("the page has become %s", page)
	}
	for _, want := range []string{"| faster | 6.50 (5.00 to 8.00) | ≥ 5.00 | ≥ 7.00 | ok |\n", "**W1**: chains.", "30,000 (20,000 to 40,000)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if err := os.WriteFile(file, []byte("# Page\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := made().page(file); err == nil || !strings.Contains(err.Error(), pageEnds[:8]) {
		t.Errorf("a page without a place for them: %v, want an error that says so", err)
	}
}
