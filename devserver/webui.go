package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

type webUI struct {
	server *uiserver.Server
	health string
}

func newWebUI(o options, port int, temporal string) *webUI {
	host := o.ip
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // the UI appends a colon and the port
	}
	origin := "http://" + net.JoinHostPort(o.ip, strconv.Itoa(port))
	return &webUI{
		health: origin + "/healthz",
		server: uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			TemporalGRPCAddress: temporal,
			Host:                host,
			Port:                port,
			EnableUI:            true,
			HideLogs:            true,
			DisableNewsFetch:    true, // would contact a server on the Internet
			DefaultNamespace:    o.namespace,
			Codec: uiconfig.Codec{
				Endpoint:            o.codecEndpoint,
				DefaultErrorMessage: "The payload cannot be decrypted. Check that the codec server runs and has the key.",
			},
			CORS: uiconfig.CORS{
				AllowOrigins:   []string{origin},
				CookieInsecure: true, // there is no TLS on the loopback interface
			},
		})),
	}
}

// If the UI cannot listen, the process ends.
func (w *webUI) start() { go func() { _ = w.server.Start() }() }

func (w *webUI) stop() { w.server.Stop() }

func (w *webUI) checkHealth(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.health, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}
