package stack

import "net/url"

// hostOf returns the host:port of a URL, "" if the URL has none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" {
		return ""
	}
	return u.Host
}
