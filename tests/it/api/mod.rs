//! Does the web layer keep its promises to browsers, and refuse the rest?

mod city;
mod desk;
mod health;
mod http;
mod pages;
mod recordings;
mod sign_in;
