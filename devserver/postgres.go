package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// postgresUser is the one user that PostgreSQL must let in without a password.
	postgresUser = "postgres"
	// postgresShards is how many parts the histories are kept in; it is fixed when the database is made.
	postgresShards = 4
)

// postgresStores are the server's two databases in PostgreSQL, by what they are for. They are created where they are
// not there, and brought to this server's version.
func postgresStores(address string) (map[string]config.DataStore, error) {
	stores := make(map[string]config.DataStore)
	for name, tables := range map[string]string{"temporal": "postgresql/v12/temporal", "temporal_visibility": "postgresql/v12/visibility"} {
		database := &config.SQL{
			PluginName: postgresql.PluginName, ConnectProtocol: "tcp", ConnectAddr: address, User: postgresUser, DatabaseName: name,
			MaxConns: 20, MaxIdleConns: 20, MaxConnLifetime: time.Hour,
		}
		if err := prepare(*database, tables); err != nil {
			return nil, fmt.Errorf("--postgres %s: database %s: %w", address, name, err)
		}
		stores[name] = config.DataStore{SQL: database}
	}
	return stores, nil
}

// prepare creates a database and its tables, or brings those that are there up to date.
func prepare(database config.SQL, tables string) error {
	logger := log.NewNoopLogger()
	within := database // the tool changes what it is given
	if err := sql.DoCreateDatabase(&within, "postgres", logger); err != nil {
		return fmt.Errorf("cannot be created by the user %s without a password: %w", postgresUser, err)
	}
	connection, err := sql.NewConnection(&database, logger)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.ReadSchemaVersion(); err != nil {
		if err := schema.NewSetupSchemaTask(connection, &schema.SetupConfig{InitialVersion: "0.0"}, logger).Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(connection, &schema.UpdateConfig{DBName: database.DatabaseName, SchemaName: tables}, logger).Run()
}

// register creates the namespace where the database was made without one.
func register(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var there *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &there) {
		return nil
	}
	return err
}
