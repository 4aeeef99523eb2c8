// Package explorer serves GraphiQL, a web page for queries to the running sandbox. All files of the
// page are embedded, so the page works without a network.
package explorer

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"path"
	"strings"
)

//go:embed page.html page.css page.js assets/*.gz
var files embed.FS

// Assets is the URL path of the scripts and styles of the page; the path ends in a slash.
const Assets = "/_sandbox/explorer/"

const query = `# This page sends queries to the sandbox. The schema documentation is on the left; Ctrl-Enter runs the query.
{
  opportunities(first: 10) {
    pageInfo { totalRecords }
    edges { node { id name step { name stage { state } } account { name } value { grandTotal } } }
  }
}
`

// Options are the options of the GraphiQL page.
type Options struct {
	// URL is the path of the API.
	URL string
	// Token is the API token that the page sends if the browser runs on this machine. Browsers on
	// other machines get the page without the token. "" means that the API requires no token.
	Token string
}

// Handler returns the handler of the page for "GET /", and the handler of the files below Assets.
func Handler(o Options) (page, assets http.Handler, err error) {
	shown, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, nil, fmt.Errorf("the template of the explorer page could not be parsed: %w", err)
	}
	page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := "{}"
		if o.Token != "" {
			headers = `{"Authorization": "Bearer …"}`
		}
		if o.Token != "" && isLocal(r) {
			if encoded, err := json.Marshal(map[string]string{"Authorization": "Bearer " + o.Token}); err == nil {
				headers = string(encoded)
			}
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		// The policy allows GraphiQL to connect only to the sandbox, and forbids other pages to
		// embed GraphiQL.
		w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_ = shown.Execute(w, map[string]string{"Assets": Assets, "URL": o.URL, "Headers": headers, "Query": query}) // an error means that the client has gone
	})
	return page, http.HandlerFunc(serveAsset), nil
}

// isLocal reports whether the client runs on this machine and the Host header names this machine.
// Without the check of Host, a foreign page whose host name resolves to this machine could read the
// token.
func isLocal(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !isLoopback(from) {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || isLoopback(strings.Trim(host, "[]"))
}

func isLoopback(address string) bool {
	ip := net.ParseIP(address)
	return ip != nil && ip.IsLoopback()
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	w.Header().Set("Content-Type", kinds[path.Ext(name)])
	w.Header().Set("X-Content-Type-Options", "nosniff")
	content, err := files.ReadFile(name)
	if err != nil || kinds[path.Ext(name)] == "" {
		content, err = files.ReadFile("assets/" + name + ".gz")
		w.Header().Set("Content-Encoding", "gzip")
	}
	if err != nil || kinds[path.Ext(name)] == "" {
		w.Header().Del("Content-Encoding")
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(content) // an error means that the client has gone
}
