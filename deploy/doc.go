// Package deploy holds the files for a deployment beside docker-compose.yml and Dockerfile at the
// top: the dynamic configuration of the Temporal server and an example of the settings. The tests
// of the package compare all these files with what the programs in the images really read. The
// package has no code outside its tests, and outside of tests imports nothing of Oppflow.
package deploy
