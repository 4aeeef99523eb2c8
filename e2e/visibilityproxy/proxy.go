package visibilityproxy

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	enums "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // clients compress what they send
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Mode is how up to date visibility is.
type Mode string

const (
	// Unchanged shows the runs as the server does.
	Unchanged Mode = "the list contains all runs as the Temporal server lists them"
	// Lagging hides the runs that started less than lag ago, and shows the runs that ended less
	// than lag ago as running.
	Lagging Mode = "the list does not contain recent changes of runs"
	// NewestOnly hides the earlier runs of an opportunity that ended less than lag ago.
	NewestOnly Mode = "the list contains only the newest run of each opportunity"
)

// lag is the delay after which visibility shows that a run started or ended.
const lag = 30 * time.Second

// Proxy is a proxy between the workers and the Temporal server. Proxy is safe for concurrent use.
type Proxy struct {
	address    string
	server     *grpc.Server
	connection *grpc.ClientConn

	mu   sync.Mutex
	mode Mode
}

type rawMessage []byte

type rawCodec struct{}

// Marshal implements encoding.Codec.
func (rawCodec) Marshal(v any) ([]byte, error) {
	f, ok := v.(*rawMessage)
	if !ok {
		return nil, fmt.Errorf("%T is not a *rawMessage", v)
	}
	return *f, nil
}

// Unmarshal implements encoding.Codec.
func (rawCodec) Unmarshal(data []byte, v any) error {
	f, ok := v.(*rawMessage)
	if !ok {
		return fmt.Errorf("%T is not a *rawMessage", v)
	}
	*f = slices.Clone(data)
	return nil
}

// Name implements encoding.Codec.
func (rawCodec) Name() string { return "proto" }

const maxMessage = 64 << 20

// Open listens on a free port and forwards to the address of the server, which may start later.
func Open(ctx context.Context, to string) (*Proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	x := &Proxy{address: listener.Addr().String(), mode: Unchanged}
	x.connection, err = grpc.NewClient("passthrough:///"+to,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		// With short delays the proxy reconnects soon after a restart of the server.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond}, MinConnectTimeout: time.Second}),
	)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	x.server = grpc.NewServer(
		grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(x.forward), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	go func() { _ = x.server.Serve(listener) }()
	return x, nil
}

// Address is the address at which workers reach the proxy.
func (x *Proxy) Address() string { return x.address }

// Close stops the proxy.
func (x *Proxy) Close() {
	x.server.Stop()
	_ = x.connection.Close()
}

// SetMode sets the mode.
func (x *Proxy) SetMode(how Mode) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mode = how
}

const listMethod = workflowservice.WorkflowService_ListWorkflowExecutions_FullMethodName

// Every call of Temporal's API is unary.
func (x *Proxy) forward(_ any, stream grpc.ServerStream) error {
	method, ok := grpc.MethodFromServerStream(stream)
	if !ok {
		return status.Error(codes.Internal, "the gRPC call has no method name")
	}
	var asked, answered rawMessage
	if err := stream.RecvMsg(&asked); err != nil {
		return err
	}
	ctx := stream.Context()
	if headers, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, headers)
	}
	if err := x.connection.Invoke(ctx, method, &asked, &answered); err != nil {
		return err
	}
	if method == listMethod {
		if err := x.applyMode(&answered); err != nil {
			return err
		}
	}
	return stream.SendMsg(&answered)
}

func (x *Proxy) applyMode(answered *rawMessage) error {
	x.mu.Lock()
	showing := x.mode
	x.mu.Unlock()
	if showing == Unchanged {
		return nil
	}
	var list workflowservice.ListWorkflowExecutionsResponse
	if err := proto.Unmarshal(*answered, &list); err != nil {
		return err
	}
	list.Executions = visibleRuns(list.GetExecutions(), showing, time.Now())
	changed, err := proto.Marshal(&list)
	*answered = changed
	return err
}

func visibleRuns(runs []*workflowpb.WorkflowExecutionInfo, how Mode, now time.Time) []*workflowpb.WorkflowExecutionInfo {
	since := now.Add(-lag)
	newest := map[string]time.Time{}
	for _, run := range runs {
		if id, began := run.GetExecution().GetWorkflowId(), run.GetStartTime().AsTime(); began.After(newest[id]) {
			newest[id] = began
		}
	}
	var list []*workflowpb.WorkflowExecutionInfo
	for _, run := range runs {
		began, ended := run.GetStartTime().AsTime(), run.GetCloseTime().AsTime()
		isOld := began.Before(newest[run.GetExecution().GetWorkflowId()])
		switch recent := run.GetCloseTime() != nil && ended.After(since); {
		case how == NewestOnly && isOld && recent, how == Lagging && began.After(since):
			continue
		case how == Lagging && recent:
			run.CloseTime, run.Status = nil, enums.WORKFLOW_EXECUTION_STATUS_RUNNING
		}
		list = append(list, run)
	}
	return list
}
