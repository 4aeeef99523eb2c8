package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	// clusterName is stored in the server's database and must not change.
	clusterName = "active"
	readyPoll   = 20 * time.Millisecond
)

// server is the Temporal server with its Web UI; with --headless, server has no Web UI.
type server struct {
	options  options
	address  string // host:port of the Temporal service
	uiURL    string // "" if headless
	temporal temporal.Server
	ui       *webUI
	logger   *logger
	uiPort   *ports // reserved until the UI listens
}

// newServer prepares the start: newServer reserves the ports and opens the database.
func newServer(o options) (*server, error) {
	s := &server{options: o, uiPort: &ports{ip: o.ip}}
	services := &ports{ip: o.ip}
	defer services.release()
	frontend, err := services.reserve(o.port, "--port")
	if err != nil {
		return nil, err
	}
	s.address = net.JoinHostPort(o.ip, strconv.Itoa(frontend))
	var uiPort int
	if !o.headless {
		if uiPort, err = s.uiPort.reserve(o.uiPort, "--ui-port"); err != nil {
			return nil, err
		}
		s.uiURL = "http://" + net.JoinHostPort(o.ip, strconv.Itoa(uiPort))
	}
	configuration, hosts, err := s.configuration(frontend, services)
	if err != nil {
		return nil, err
	}
	if configuration.Persistence, err = newPersistence(o); err != nil {
		return nil, err
	}
	if s.logger, err = newLogger(o.logLevel); err != nil {
		return nil, err
	}
	services.release() // the services can listen on their ports now, but they do not respond yet
	s.temporal, err = temporal.NewServer(
		temporal.WithConfig(configuration),
		temporal.ForServices(temporal.DefaultServices),
		// Each service has one host, whose address is known before the server starts.
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(o.dynamicConfig),
		temporal.WithLogger(s.logger.Logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
	if err != nil {
		return nil, fmt.Errorf("the Temporal server cannot be set up: %w", err)
	}
	if !o.headless {
		s.ui = newWebUI(o, uiPort, s.address)
	}
	return s, nil
}

// configuration returns the server's configuration without the database settings, and the address
// of each service.
func (s *server) configuration(frontend int, ports *ports) (*config.Config, map[primitives.ServiceName]static.Hosts, error) {
	services := map[string]config.Service{}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range temporal.DefaultServices {
		port, err := ports.reserve(0, "")
		if err != nil {
			return nil, nil, err
		}
		rpc := config.RPC{GRPCPort: port, BindOnIP: s.options.ip}
		if name == string(primitives.FrontendService) {
			// HTTPPort is the port of Temporal's HTTP API. Without an HTTP port the server logs a
			// warning at every start.
			rpc.GRPCPort, rpc.HTTPPort = frontend, port
		}
		services[name] = config.Service{RPC: rpc}
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(net.JoinHostPort(s.options.ip, strconv.Itoa(rpc.GRPCPort)))
	}
	return &config.Config{
		Services: services,
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: s.address},
			},
		},
		PublicClient:        config.PublicClient{HostPort: s.address},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
	}, hosts, nil
}

// start starts the services, and returns before the services respond.
func (s *server) start() error {
	if err := s.temporal.Start(); err != nil {
		return fmt.Errorf("the Temporal server cannot be started: %w", err)
	}
	if s.ui != nil {
		s.uiPort.release()
		s.ui.start()
	}
	return nil
}

// stop stops the Web UI and then the server. stop returns an error after stopTimeout.
func (s *server) stop() error {
	s.logger.servicesStopping()
	done := make(chan error, 1)
	go func() {
		if s.ui != nil {
			s.ui.stop()
		}
		done <- s.temporal.Stop()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(stopTimeout):
		return fmt.Errorf("some services of the Temporal server did not stop within %v; the database is intact", stopTimeout)
	}
}

// After awaitReady has returned, clients can use the namespace and the search attributes.
func (s *server) awaitReady(ctx context.Context) error {
	c, err := client.NewLazyClient(client.Options{
		HostPort:  s.address,
		Namespace: s.options.namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	err = poll(ctx, func(ctx context.Context) error {
		if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
			return err
		}
		if s.options.postgres != "" {
			if err := registerNamespace(ctx, c, s.options.namespace); err != nil {
				return err
			}
		}
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: s.options.namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("the Temporal server does not respond: %w", err)
	}
	if err := registerSearchAttributes(ctx, c, s.options.namespace, s.options.searchAttributes); err != nil {
		return err
	}
	if s.ui != nil {
		if err := poll(ctx, s.ui.checkHealth); err != nil {
			return fmt.Errorf("the Web UI does not respond: %w", err)
		}
	}
	s.logger.servicesReady()
	return nil
}

// poll repeats the attempt until the attempt succeeds, the attempt returns a permanent error, or
// the context ends.
func poll(ctx context.Context, attempt func(context.Context) error) error {
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		attemptCtx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		last = attempt(attemptCtx)
		return struct{}{}, last
	}, backoff.WithBackOff(backoff.NewConstantBackOff(readyPoll)), backoff.WithMaxElapsedTime(0))
	if permanent := new(backoff.PermanentError); err == nil || errors.As(last, &permanent) {
		return err
	}
	return fmt.Errorf("%w: %w", err, last)
}
