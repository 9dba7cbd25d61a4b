package demo

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	base, _ := url.Parse("https://example.com/docs/a/index.html?v=1")
	for _, tt := range []struct{ link, want string }{
		{"b", "https://example.com/docs/a/b"},
		{"../b?x=1#frag", "https://example.com/docs/b?x=1"},
		{"/", "https://example.com/"},
		{"#top", "https://example.com/docs/a/index.html?v=1"},
		{"?page=2", "https://example.com/docs/a/index.html?page=2"},
		{"//other.org", "https://other.org/"},
		{" HTTP://Example.COM:80/x ", "http://example.com/x"},
		{"https://example.com:443", "https://example.com/"},
		{"https://user:secret@example.com/", "https://example.com/"},
		{"http://example.com:8080/a b", "http://example.com:8080/a%20b"},
		{"/new\nline", "https://example.com/newline"},
		{"", ""},
		{"mailto:a@example.com", ""},
		{"javascript:void(0)", ""},
		{"data:text/html,x", ""},
		{"http://", ""},
		{"http://[bad", ""},
		{"/" + strings.Repeat("x", maxURL), ""},
	} {
		got, ok := normalise(base, tt.link)
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("normalise(%q) = %q, %t, want %q", tt.link, got, ok, tt.want)
		}
	}
	if got, ok := normalise(nil, "example.com/x"); ok {
		t.Errorf("normalise(nil, no scheme) = %q, want none", got)
	}
}

func TestPageLinks(t *testing.T) {
	page, _ := url.Parse("http://h/dir/page")
	const doc = `<html><head>
		<link rel="stylesheet" href="s.css"><link rel="preconnect" href="http://cdn/">
		<script src="/x.js"></script></head><body>
		<a href="one">1</a><a href="one#again">1</a><A HREF='two'>2</A><a>none</a>
		<!-- <a href="commented"> --><script>"<a href='scripted'>"</script>
		<img src=i.png><area href="three"><iframe src="/frame"></iframe>
		<base href="/other/"><a href="four">4</a><a href="unclosed`
	for _, tt := range []struct {
		resources bool
		want      string
	}{
		{true, "/dir/s.css /x.js /dir/one /dir/two /dir/i.png /dir/three /frame /other/four"},
		{false, "/dir/one /dir/two /dir/three /frame /other/four"},
	} {
		var want []string
		for path := range strings.FieldsSeq(tt.want) {
			want = append(want, "http://h"+path)
		}
		if got := pageLinks(page, strings.NewReader(doc), tt.resources); !slices.Equal(got, want) {
			t.Errorf("pageLinks(resources %t) =\n%v, want\n%v", tt.resources, got, want)
		}
	}
}

func TestPageLinksBounded(t *testing.T) {
	page, _ := url.Parse("http://h/")
	var doc strings.Builder
	for i := range 3 * maxLinks {
		doc.WriteString(`<a href="/` + strings.Repeat("x", i%1000) + strings.Repeat("y", i/1000) + `">`)
	}
	size := 0
	links := pageLinks(page, strings.NewReader(doc.String()), true)
	for _, l := range links {
		size += len(l)
	}
	if len(links) > maxLinks || size > maxLinkBytes+maxURL {
		t.Errorf("pageLinks kept %d links of %d bytes, want at most %d and %d", len(links), size, maxLinks, maxLinkBytes)
	}
}
