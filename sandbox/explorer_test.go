package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/settings/testrun"
)

func TestExplorerInABrowser(t *testing.T) {
	t.Parallel()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			browser = found
			break
		}
	}
	if browser == "" {
		testrun.SkipWithout(t, "a browser (Chromium or Chrome): nobody looks at the page of the explorer")
	}
	a := open(t, sandbox.Options{})
	server := httptest.NewServer(a.Handler())
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// The browser resolves only the host name of this machine, so the browser can reach only this
	// machine.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"), chromedp.WindowSize(1400, 900))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	const execute, result = chromedp.CSS(".graphiql-execute-button"), chromedp.CSS(".result-window")
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/"), chromedp.WaitVisible(execute), chromedp.Click(execute)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector(".result-window")?.innerText.includes("Annual first aid refresher")`)); err != nil {
		t.Fatal(err)
	}
	answered, err := chromedp.Run(ctx, chromedp.Text(result))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(answered, `"totalRecords": 1`) || strings.Contains(answered, "errors") {
		t.Errorf("the page shows %s", answered)
	}
	if path := os.Getenv("OPPFLOW_SCREENSHOT"); path != "" {
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExplorerHidesTheTokenFromOtherMachines(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	for from, shown := range map[[2]string]bool{
		{"127.0.0.1:5", "127.0.0.1:8480"}: true, {"127.0.0.1:5", "localhost:8480"}: true, {"[::1]:5", "[::1]:8480"}: true, {"127.0.0.1:5", "localhost"}: true,
		{"127.0.0.1:5", "evil.example:8480"}: false, {"10.0.0.7:5", "10.0.0.1:8480"}: false, {"10.0.0.7:5", "localhost:8480"}: false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = from[0], from[1]
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if got := strings.Contains(w.Body.String(), a.Token()); w.Code != 200 || got != shown {
			t.Errorf("%v: %d, the token is shown: %v", from, w.Code, got)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
			t.Error(policy)
		}
	}
	for path, status := range map[string]int{"/_sandbox/explorer/graphiql.js": 200, "/_sandbox/explorer/page.css": 200, "/_sandbox/explorer/page.html": 404, "/_sandbox/explorer/": 404, "/other": 404} {
		if answer := a.send(t, http.MethodGet, path, nil, nil); answer.status != status {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
}
