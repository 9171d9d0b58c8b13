"""What is made from an original so that people can look at it: access copy, page images, thumbnails, watermark."""
