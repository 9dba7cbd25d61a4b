package demo

import (
	"fmt"
	"net/http"
	"time"
)

// Size of the site's regular part.
const (
	siteSections = 5
	siteLeaves   = 9 // pages of a section
	steadyLag    = 200 * time.Millisecond
	siteDepth    = 6 // pages of the chain away from the start page; the last is too far away
)

// sitePages is the whole site, but for what is missing from it.
func sitePages(elsewhere string) []sitePage {
	home := sitePage{path: "/", links: []siteLink{
		to("/broken"), to("/moved"), to("/slow"), to("/flaky"), to("/files"), to("/deep/1"), {"#top", "/"}, {"", "/"},
	}}
	var pages []sitePage
	for s := 1; s <= siteSections; s++ {
		home.links = append(home.links, to(fmt.Sprintf("/section/%d/", s)))
		pages = append(pages, section(s)...)
	}
	pages = append(pages, home)
	pages = append(pages, deepPages()...)
	pages = append(pages, movedPages()...)
	pages = append(pages, troublePages()...)
	return append(pages, brokenPage(elsewhere), sitePage{path: "/gone", status: http.StatusGone})
}

// to is a link whose text is what it means.
func to(path string) siteLink { return siteLink{path, path} }

// section is a page and its leaves, linked in a ring and to other sections,
// with every form of relative link.
func section(s int) []sitePage {
	at := fmt.Sprintf("/section/%d/", s)
	top := sitePage{path: at, links: []siteLink{{"../../", "/"}}}
	pages := []sitePage{}
	for i := 1; i <= siteLeaves; i++ {
		name := fmt.Sprintf("page-%d", i)
		next := fmt.Sprintf("page-%d", i%siteLeaves+1)
		top.links = append(top.links, siteLink{name, at + name})
		leaf := sitePage{path: at + name, links: []siteLink{
			{next + "#part", at + next},
			{"./", at},
			{fmt.Sprintf("../%d/%s", s%siteSections+1, name), fmt.Sprintf("/section/%d/%s", s%siteSections+1, name)},
			{"/", "/"},
		}}
		if i == siteLeaves {
			leaf.links = append(leaf.links, to("/missing"))
		}
		pages = append(pages, leaf)
	}
	return append(pages, top)
}

// deepPages lead away from the start page one by one.
func deepPages() []sitePage {
	var pages []sitePage
	for i := 1; i <= siteDepth; i++ {
		p := sitePage{path: fmt.Sprintf("/deep/%d", i), links: []siteLink{to("/")}}
		if i < siteDepth {
			p.links = append(p.links, to(fmt.Sprintf("/deep/%d", i+1)))
		}
		pages = append(pages, p)
	}
	return pages
}

// movedPages are redirects: single ones, a chain, one to nowhere and a loop.
func movedPages() []sitePage {
	return []sitePage{
		{path: "/moved", links: []siteLink{
			to("/old/1"), to("/old/2"), to("/chain/1"), to("/old/missing"), to("/loop/a"),
		}},
		{path: "/old/1", status: http.StatusMovedPermanently, moved: to("/section/1/page-1")},
		{path: "/old/2", status: http.StatusFound, moved: siteLink{"../section/2/page-2#x", "/section/2/page-2"}},
		{path: "/chain/1", status: http.StatusMovedPermanently, moved: to("/chain/2")},
		{path: "/chain/2", status: http.StatusFound, moved: to("/chain/3")},
		{path: "/chain/3", status: http.StatusPermanentRedirect, moved: to("/chain/end")},
		{path: "/chain/end", links: []siteLink{to("/")}},
		{path: "/old/missing", status: http.StatusMovedPermanently, moved: to("/moved-and-lost")},
		{path: "/loop/a", status: http.StatusFound, moved: to("/loop/b")},
		{path: "/loop/b", status: http.StatusFound, moved: to("/loop/a")},
	}
}

// troublePages are slow or flaky at first; one fails always. The files are no
// HTML, whatever they look like.
func troublePages() []sitePage {
	const trap = `<a href="/trap">not a link</a>`
	return []sitePage{
		{path: "/slow", links: []siteLink{to("/slow/1"), to("/slow/2"), to("/slow/steady")}},
		{path: "/slow/1", slow: 1, links: []siteLink{to("/slow")}},
		{path: "/slow/2", slow: 2, links: []siteLink{to("/")}},
		{path: "/slow/steady", lag: steadyLag, links: []siteLink{to("/")}},
		{path: "/flaky", links: []siteLink{to("/flaky/1"), to("/flaky/2"), to("/flaky/busy"), to("/flaky/always")}},
		{path: "/flaky/1", failures: 1, failWith: http.StatusServiceUnavailable, links: []siteLink{to("/flaky")}},
		{path: "/flaky/2", failures: 2, failWith: http.StatusServiceUnavailable, retryAfter: 1, links: []siteLink{to("/")}},
		{path: "/flaky/busy", failures: 1, failWith: http.StatusTooManyRequests, retryAfter: 1, links: []siteLink{to("/")}},
		{path: "/flaky/always", status: http.StatusInternalServerError},
		{path: "/files", links: []siteLink{
			to("/files/plain.txt"), to("/files/paper.pdf"), to("/files/style.css"), to("/files/pixel.png"), to("/files/missing.png"),
		}},
		{path: "/files/plain.txt", kind: "text/plain", body: trap},
		{path: "/files/paper.pdf", kind: "application/pdf", body: trap},
		{path: "/files/style.css", kind: "text/css", body: trap},
		{path: "/files/pixel.png", kind: "image/png", body: trap},
	}
}

func brokenPage(elsewhere string) sitePage {
	p := sitePage{path: "/broken", links: []siteLink{to("/missing"), to("/gone"), to(deadHost)}}
	if elsewhere != "" {
		for _, path := range []string{"/ok", "/no-head", "/missing"} {
			p.links = append(p.links, to(elsewhere+path))
		}
	}
	return p
}
