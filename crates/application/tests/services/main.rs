//! The services over strict adapters in memory, and over mocks where something must fail.

mod claim_next;
mod create;
mod delete;
mod desk;
mod doctor;
mod family;
mod modify;
mod query;
mod ready;
mod relate;
mod requests;
mod watch;
mod why;
