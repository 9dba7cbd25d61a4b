package demo

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Server is an HTTP server on a free loopback port.
type Server struct {
	URL  string // without a slash at its end
	http *http.Server
	done chan error
}

// Serve starts h on 127.0.0.1. Close it when done.
func Serve(h http.Handler) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	s := &Server{
		URL:  "http://" + l.Addr().String(),
		http: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// Close ends all connections and waits for the server's end.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// GatewayPath is where World answers as the gateway.
const GatewayPath = "/gateway"

// World answers, on one address, as the demo site, as the other host it links to,
// which is for requests to the host of elsewhere (a URL that leads here, too; empty
// leaves these links out), and below GatewayPath as a gateway whose answers take
// delay. It is safe for concurrent use. An elsewhere that is no URL is an error.
func World(elsewhere string, delay time.Duration) (http.Handler, error) {
	site := NewSite()
	site.Elsewhere = strings.TrimSuffix(elsewhere, "/")
	mux := http.NewServeMux()
	mux.Handle("/", site)
	gateway := new(Gateway).Handler()
	mux.HandleFunc(GatewayPath+"/", func(w http.ResponseWriter, r *http.Request) {
		if stall(r, delay) {
			http.StripPrefix(GatewayPath, gateway).ServeHTTP(w, r)
		}
	})
	if elsewhere != "" {
		u, err := url.Parse(elsewhere)
		if err != nil || u.Scheme != "http" || u.Hostname() == "" {
			return nil, fmt.Errorf("%q: want a URL such as http://elsewhere:8080", elsewhere)
		}
		mux.Handle(u.Hostname()+"/", Elsewhere())
	}
	return mux, nil
}

// SiteServer is a Site and the other host it links to, both being served.
type SiteServer struct {
	*Server
	Site  *Site
	other *Server
}

// ServeSite starts the demo site on free loopback ports. Close it when done.
func ServeSite() (*SiteServer, error) {
	other, err := Serve(Elsewhere())
	if err != nil {
		return nil, err
	}
	site := NewSite()
	site.Elsewhere = other.URL
	server, err := Serve(site)
	if err != nil {
		other.Close()
		return nil, err
	}
	return &SiteServer{Server: server, Site: site, other: other}, nil
}

// Close stops both servers.
func (s *SiteServer) Close() error {
	err := s.Server.Close()
	if otherErr := s.other.Close(); err == nil {
		err = otherErr
	}
	return err
}

// Input is the link check of the site that Expected describes.
func (s *SiteServer) Input() LinkInput { return s.Site.Input(s.URL) }

// Expected is what a link check of Input must find.
func (s *SiteServer) Expected() SiteFacts { return s.Site.Expected(s.URL) }
