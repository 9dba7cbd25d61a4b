package demo

import (
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Limits of what is kept of one page, so that a visit stays far below 1 MiB.
const (
	maxURL       = 2000
	maxLinks     = 2000
	maxLinkBytes = 256 << 10
)

// linkAttrs says which attribute of an element is a link. The value says
// whether it leads to a page; else it is a resource.
var linkAttrs = map[atom.Atom]struct {
	attr string
	page bool
}{
	atom.A:      {"href", true},
	atom.Area:   {"href", true},
	atom.Iframe: {"src", true},
	atom.Frame:  {"src", true},
	atom.Link:   {"href", false},
	atom.Img:    {"src", false},
	atom.Script: {"src", false},
	atom.Source: {"src", false},
	atom.Video:  {"src", false},
	atom.Audio:  {"src", false},
	atom.Embed:  {"src", false},
}

// pageLinks reads an HTML page and returns what it links to, normalised, each
// once, in the order of the page.
func pageLinks(page *url.URL, body io.Reader, resources bool) []string {
	base := page
	var links []string
	size := 0
	seen := make(map[string]bool)
	tokens := html.NewTokenizer(body)
	for len(links) < maxLinks && size < maxLinkBytes {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break // the end, or the body's limit: what was read counts
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		token := tokens.Token()
		if token.DataAtom == atom.Base {
			base = baseOf(page, token)
			continue
		}
		link, ok := normalise(base, tokenLink(token, resources))
		if ok && !seen[link] {
			seen[link] = true
			links = append(links, link)
			size += len(link)
		}
	}
	return links
}

// tokenLink returns the link of an element, "" for none.
func tokenLink(token html.Token, resources bool) string {
	spec, ok := linkAttrs[token.DataAtom]
	if !ok || (!spec.page && !resources) {
		return ""
	}
	if token.DataAtom == atom.Link && !fetchedRel(attr(token, "rel")) {
		return ""
	}
	return attr(token, spec.attr)
}

// fetchedRel says whether a link element of that rel names something to fetch;
// preconnect and dns-prefetch name only hosts.
func fetchedRel(rel string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(rel)) {
		if word == "preconnect" || word == "dns-prefetch" {
			return false
		}
	}
	return true
}

func baseOf(page *url.URL, token html.Token) *url.URL {
	if base, err := page.Parse(strings.TrimSpace(attr(token, "href"))); err == nil {
		return base
	}
	return page
}

func attr(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// normalise resolves a link against base (nil: it must be absolute) and writes
// it in one way: lower-case scheme and host, no default port, no fragment. Not
// ok are links that are not http or https, too long, or no URLs at all.
func normalise(base *url.URL, link string) (string, bool) {
	link = strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(strings.TrimSpace(link))
	if link == "" || len(link) > maxURL {
		return "", false
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", false
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return "", false
	}
	u.Host = plainHost(u)
	u.Fragment, u.RawFragment, u.User = "", "", nil
	if u.Path == "" {
		u.Path = "/"
	}
	s := u.String()
	return s, len(s) <= maxURL
}

// plainHost is u's host in lower case without the scheme's default port.
func plainHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		return strings.TrimSuffix(host, ":80")
	}
	return strings.TrimSuffix(host, ":443")
}
