package stack

import "net/url"

// hostOf returns the host:port of a URL, or "" if the URL contains no host:port.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" {
		return ""
	}
	return u.Host
}
