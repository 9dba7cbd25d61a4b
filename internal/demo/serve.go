package demo

import (
	"fmt"
	"net"
	"net/http"
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
