package index

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

// Showing is how up to date the index of runs is.
type Showing string

// The ways in which the index shows runs.
const (
	// AsItIs: the index shows what the server shows.
	AsItIs Showing = "as it is"
	// Lagging: runs that began or ended a short time ago are not shown yet.
	Lagging Showing = "lagging"
	// NewFirst: the newest run of an opportunity is shown, and the runs before it are not shown yet.
	NewFirst Showing = "the new run first"
)

// lag is the time by which the index lags.
const lag = 30 * time.Second

// Index is a proxy between the workers and the Temporal server. It passes every call on and changes what the index of
// runs shows. It is safe for concurrent use.
type Index struct {
	address    string
	server     *grpc.Server
	connection *grpc.ClientConn

	mu      sync.Mutex
	showing Showing
}

// frame is a message that is passed on unchanged.
type frame []byte

// frames is the codec of frames.
type frames struct{}

// Marshal implements encoding.Codec.
func (frames) Marshal(v any) ([]byte, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("%T is no frame", v)
	}
	return *f, nil
}

// Unmarshal implements encoding.Codec.
func (frames) Unmarshal(data []byte, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("%T is no frame", v)
	}
	*f = slices.Clone(data)
	return nil
}

// Name implements encoding.Codec.
func (frames) Name() string { return "proto" }

// maxFrame bounds a message.
const maxFrame = 64 << 20

// Open listens on a free port and passes calls on to the server's address. The server may start later.
func Open(ctx context.Context, to string) (*Index, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	x := &Index{address: listener.Addr().String(), showing: AsItIs}
	x.connection, err = grpc.NewClient("passthrough:///"+to,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(frames{}), grpc.MaxCallRecvMsgSize(maxFrame), grpc.MaxCallSendMsgSize(maxFrame)),
		// The server returns soon.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond}, MinConnectTimeout: time.Second}),
	)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	x.server = grpc.NewServer(
		grpc.ForceServerCodec(frames{}), grpc.UnknownServiceHandler(x.pass), grpc.MaxRecvMsgSize(maxFrame), grpc.MaxSendMsgSize(maxFrame),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	go func() { _ = x.server.Serve(listener) }() // it ends with close
	return x, nil
}

// Address returns the address of the proxy for workers.
func (x *Index) Address() string { return x.address }

// Close stops the proxy.
func (x *Index) Close() {
	x.server.Stop()
	_ = x.connection.Close()
}

// Show changes how the index shows runs.
func (x *Index) Show(how Showing) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.showing = how
}

// listMethod is the method that reads the index.
const listMethod = workflowservice.WorkflowService_ListWorkflowExecutions_FullMethodName

// pass passes a call on. All calls of Temporal have one request message and one response.
func (x *Index) pass(_ any, stream grpc.ServerStream) error {
	method, ok := grpc.MethodFromServerStream(stream)
	if !ok {
		return status.Error(codes.Internal, "a call without a method")
	}
	var asked, answered frame
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
		if err := x.change(&answered); err != nil {
			return err
		}
	}
	return stream.SendMsg(&answered)
}

// change rewrites a response of the index so that it shows the runs in the way that is set.
func (x *Index) change(answered *frame) error {
	x.mu.Lock()
	showing := x.showing
	x.mu.Unlock()
	if showing == AsItIs {
		return nil
	}
	var list workflowservice.ListWorkflowExecutionsResponse
	if err := proto.Unmarshal(*answered, &list); err != nil {
		return err
	}
	list.Executions = shown(list.GetExecutions(), showing, time.Now())
	changed, err := proto.Marshal(&list)
	*answered = changed
	return err
}

// shown returns the runs that an index of the given state shows.
func shown(runs []*workflowpb.WorkflowExecutionInfo, how Showing, now time.Time) []*workflowpb.WorkflowExecutionInfo {
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
		case how == NewFirst && isOld && recent, how == Lagging && began.After(since):
			continue
		case how == Lagging && recent:
			run.CloseTime, run.Status = nil, enums.WORKFLOW_EXECUTION_STATUS_RUNNING
		}
		list = append(list, run)
	}
	return list
}
